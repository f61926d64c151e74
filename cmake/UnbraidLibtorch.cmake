# The libtorch of the worker: TORCH_LIBRARIES.
set(UNBRAID_LIBTORCH "debian" CACHE STRING
  "libtorch: debian (the distribution's), or the folder of an upstream one (scripts/libtorch.sh makes one)")

# What was found before may have been another choice.
foreach(result Caffe2_DIR Torch_DIR TORCH_LIBRARY c10_LIBRARY)
  unset(${result} CACHE)
endforeach()
if(UNBRAID_LIBTORCH STREQUAL "debian")
  find_package(Torch REQUIRED)
else()
  cmake_path(ABSOLUTE_PATH UNBRAID_LIBTORCH BASE_DIRECTORY ${CMAKE_SOURCE_DIR} NORMALIZE)
  # Upstream's own search for its libraries looks in the system's folders first, and would mix both; but before
  # those it looks in this path.
  list(PREPEND CMAKE_PREFIX_PATH ${UNBRAID_LIBTORCH})
  find_package(Torch REQUIRED PATHS ${UNBRAID_LIBTORCH} NO_DEFAULT_PATH)
  foreach(library ${TORCH_LIBRARY} ${c10_LIBRARY})
    cmake_path(IS_PREFIX UNBRAID_LIBTORCH ${library} NORMALIZE of_this_folder)
    if(NOT of_this_folder)
      message(FATAL_ERROR "${library} was found, which is not of ${UNBRAID_LIBTORCH}")
    endif()
  endforeach()
endif()

# Upstream offers builds with the C++ ABI from before 2011: they link, and crash on the first string.
if(TORCH_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
  message(FATAL_ERROR "${TORCH_INSTALL_PREFIX} is built for the old C++ ABI; take the \"cxx11 ABI\" libtorch")
endif()
