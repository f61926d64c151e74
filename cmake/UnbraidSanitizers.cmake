# What an executable needs beside the flags of its sanitizers: links unbraid::sanitizers.
add_library(unbraid_sanitizers INTERFACE)
add_library(unbraid::sanitizers ALIAS unbraid_sanitizers)

# The distribution's Abseil is not instrumented; this tells the thread sanitizer what it orders.
if(UNBRAID_SANITIZE MATCHES "thread")
  get_target_property(UNBRAID_ABSL_LIBRARY absl::synchronization IMPORTED_LOCATION_NONE)
  execute_process(
    COMMAND sh -c "${CMAKE_NM} -D --defined-only '${UNBRAID_ABSL_LIBRARY}' | sed -n 's/.* _ZN\\(.*\\)5Mutex4LockEv$/\\1/p'"
    OUTPUT_VARIABLE UNBRAID_ABSL_NAMESPACE OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT UNBRAID_ABSL_NAMESPACE)
    message(FATAL_ERROR "cannot find absl::Mutex::Lock in '${UNBRAID_ABSL_LIBRARY}'")
  endif()
  target_sources(unbraid_sanitizers INTERFACE ${CMAKE_SOURCE_DIR}/tests/support/tsan_absl.cc)
  target_include_directories(unbraid_sanitizers INTERFACE ${CMAKE_SOURCE_DIR})
  target_compile_definitions(unbraid_sanitizers INTERFACE
    UNBRAID_ABSL_MEMBER=_ZN${UNBRAID_ABSL_NAMESPACE} UNBRAID_ABSL_CONST_MEMBER=_ZNK${UNBRAID_ABSL_NAMESPACE})
endif()
