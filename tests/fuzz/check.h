#ifndef UNBRAID_TESTS_FUZZ_CHECK_H_
#define UNBRAID_TESTS_FUZZ_CHECK_H_

#include <cstdio>
#include <cstdlib>

// Ends the process when the condition does not hold, which the fuzzer counts as a crash.
#define UNBRAID_FUZZ_CHECK(condition)                                                     \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

#endif  // UNBRAID_TESTS_FUZZ_CHECK_H_
