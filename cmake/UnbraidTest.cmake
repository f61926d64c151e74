# unbraid_test(NAME RING SOURCES... [LIBRARIES ...] [TIMEOUT seconds] [FIXTURE name])
#
# One Catch2 executable whose test cases become CTest tests labelled with their ring: unit, component or
# integration. Those of the integration ring have a broker of their own each, so they may run side by side. FIXTURE
# names a CTest fixture that must have been set up. No test case may have a semicolon in its name: CTest would
# take it for two, and find neither: a name that nothing answers to is a failure.
include(Catch)

add_library(unbraid_catch_main STATIC ${CMAKE_SOURCE_DIR}/tests/support/catch_main.cc)
target_link_libraries(unbraid_catch_main PUBLIC Catch2::Catch2 INTERFACE unbraid::sanitizers)

function(unbraid_test name ring)
  cmake_parse_arguments(ARG "" "TIMEOUT;FIXTURE" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE unbraid_catch_main unbraid::warnings ${ARG_LIBRARIES})
  set(properties LABELS ${ring} TIMEOUT ${ARG_TIMEOUT})
  if(ARG_FIXTURE)
    list(APPEND properties FIXTURES_REQUIRED ${ARG_FIXTURE})
  endif()
  if(UNBRAID_SANITIZE MATCHES "thread")
    list(APPEND properties ENVIRONMENT
      "TSAN_OPTIONS=ignore_noninstrumented_modules=1:suppressions=${CMAKE_SOURCE_DIR}/tests/support/tsan.supp")
  endif()
  catch_discover_tests(${name} TEST_PREFIX "${name}: " DISCOVERY_MODE PRE_TEST
    EXTRA_ARGS --warn NoTests PROPERTIES ${properties})
endfunction()
