# Compiler cache, linker, warnings and sanitizers: everything about *how* the code is compiled.

find_program(UNBRAID_CCACHE ccache)
if(UNBRAID_CCACHE)
  # Paths count from the source folder, so that a second clone finds what the first one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${UNBRAID_CCACHE})
endif()

# lld links the gRPC and torch binaries several times faster than the default linker.
find_program(UNBRAID_LLD ld.lld)
if(UNBRAID_LLD)
  add_link_options(-fuse-ld=lld)
endif()

set(UNBRAID_SANITIZE "" CACHE STRING "Value of -fsanitize=, for example address,undefined or thread")
if(UNBRAID_SANITIZE)
  add_compile_options(-fsanitize=${UNBRAID_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${UNBRAID_SANITIZE})
endif()
if(UNBRAID_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Every target of ours links this one; generated code does not.
add_library(unbraid_warnings INTERFACE)
add_library(unbraid::warnings ALIAS unbraid_warnings)
target_compile_options(unbraid_warnings INTERFACE -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor
                                                  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(unbraid_warnings INTERFACE -Wthread-safety)
endif()

# unbraid_vectorise(SOURCE...): these have loops over samples, of which the compiler makes vector instructions only at this
# level. What they compute is the same at every level.
function(unbraid_vectorise)
  if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" AND NOT UNBRAID_SANITIZE)
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "-O3")
  endif()
endfunction()

# unbraid_library(NAME SOURCES... [PUBLIC libs...] [PRIVATE libs...]): a static library `unbraid_NAME`,
# known to others as `unbraid::NAME`, whose headers are included by their path from the repository root.
function(unbraid_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(unbraid_${name} STATIC ${ARG_SOURCES})
  add_library(unbraid::${name} ALIAS unbraid_${name})
  target_include_directories(unbraid_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(unbraid_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} unbraid::warnings)
endfunction()

# unbraid_program(NAME SOURCES... LIBRARIES libs...): an executable of ours.
function(unbraid_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} unbraid::sanitizers unbraid::warnings)
endfunction()
