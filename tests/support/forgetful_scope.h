#ifndef UNBRAID_TESTS_SUPPORT_FORGETFUL_SCOPE_H_
#define UNBRAID_TESTS_SUPPORT_FORGETFUL_SCOPE_H_

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "tests/support/forgetful_disk.h"
#include "tests/support/temp_dir.h"

namespace unbraid::test_support {

// A folder on a disk that forgets, for a test that is linked with forgetful_hooks.cc. One at a
// time.
class ForgetfulScope {
 public:
  ForgetfulScope() : root_(std::filesystem::canonical(parent_.path()).string()) {
    std::filesystem::create_directory(folder());
    setenv("UNBRAID_FORGETFUL_FOLDER", folder().c_str(), /*overwrite=*/1);
    setenv("UNBRAID_FORGETFUL_DISK", disk().c_str(), /*overwrite=*/1);
  }
  ~ForgetfulScope() {
    unsetenv("UNBRAID_FORGETFUL_FOLDER");
    unsetenv("UNBRAID_FORGETFUL_DISK");
  }
  ForgetfulScope(const ForgetfulScope&) = delete;
  ForgetfulScope& operator=(const ForgetfulScope&) = delete;

  std::string folder() const { return root_ + "/folder"; }

  // What a power cut would leave at this moment, in a folder that forgets nothing. It stays until
  // the next call.
  std::string AfterPowerCut() const {
    std::filesystem::remove_all(root_ + "/left");
    CopyAsPowerCut(folder(), disk(), root_ + "/left");
    return root_ + "/left";
  }

  // Cuts the power in place.
  void Cut() const { CutPower(folder(), disk()); }

 private:
  std::string disk() const { return root_ + "/disk"; }

  const TempDir parent_;
  const std::string root_;
};

}  // namespace unbraid::test_support

#endif  // UNBRAID_TESTS_SUPPORT_FORGETFUL_SCOPE_H_
