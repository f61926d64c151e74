// cut-power FOLDER DISK: leaves of a folder what a power cut would; see forgetful_disk.h.
#include <iostream>

#include "tests/support/forgetful_disk.h"

int main(int argc, char** argv) {
  constexpr int kArguments = 3;
  if (argc != kArguments) {
    std::cerr << "usage: cut-power FOLDER DISK\n";
    return 2;
  }
  unbraid::test_support::CutPower(argv[1], argv[2]);
  return 0;
}
