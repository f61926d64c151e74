#ifndef UNBRAID_SERVICES_COMMON_BASE_PACKAGE_ID_H_
#define UNBRAID_SERVICES_COMMON_BASE_PACKAGE_ID_H_

#include <string>
#include <tuple>

namespace unbraid::base {

// Which build of a model package something is for: the name is for people, and stays at an upgrade;
// the hash tells builds apart, so that what belongs to one never meets another.
struct PackageId {
  std::string name;
  std::string sha256;  // 64 hexadecimal digits

  // The first 16 digits, as names of queues and sentences have them. Whoever computes with a
  // package compares all 64.
  std::string short_hash() const { return sha256.substr(0, 16); }
  // `<name>.<short hash>`
  std::string ToString() const { return name + "." + short_hash(); }

  friend bool operator==(const PackageId& a, const PackageId& b) {
    return a.name == b.name && a.sha256 == b.sha256;
  }
  friend bool operator!=(const PackageId& a, const PackageId& b) { return !(a == b); }
  friend bool operator<(const PackageId& a, const PackageId& b) {
    return std::tie(a.name, a.sha256) < std::tie(b.name, b.sha256);
  }
};

}  // namespace unbraid::base

#endif  // UNBRAID_SERVICES_COMMON_BASE_PACKAGE_ID_H_
