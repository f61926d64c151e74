#include "services/common/base/crc32c.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

namespace unbraid::base {
namespace {

TEST_CASE("gives the checksums of RFC 3720") {
  CHECK(Crc32c("") == 0);
  CHECK(Crc32c("123456789") == 0xE3069283);
  CHECK(Crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(Crc32c(std::string(32, '\xff')) == 0x62A8AB43);
  std::string ascending;
  for (char c = 0; c < 32; ++c) ascending += c;
  CHECK(Crc32c(ascending) == 0x46DD794E);
}

TEST_CASE("the processor's instruction and the table agree at every length and alignment") {
  std::mt19937 random(1);
  std::string bytes(300, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  for (size_t begin = 0; begin < 9; ++begin) {
    for (size_t size = 0; begin + size <= bytes.size(); ++size) {
      const absl::string_view part = absl::string_view(bytes).substr(begin, size);
      REQUIRE(Crc32c(part) == Crc32cPortable(part));
    }
  }
}

TEST_CASE("long texts, which are summed in three parts, have the same checksum") {
  std::mt19937 random(2);
  std::string bytes(100'000, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  for (size_t size : {12'287, 12'288, 12'289, 24'575, 24'576, 24'583, 99'991, 100'000}) {
    INFO(size);
    CHECK(Crc32c(bytes.substr(0, size)) == Crc32cPortable(bytes.substr(0, size)));
  }
}

}  // namespace
}  // namespace unbraid::base
