#include "services/common/base/utf8.h"

#include <catch2/catch.hpp>

namespace unbraid::base {
namespace {

TEST_CASE("well-formed UTF-8 is told from what only looks like it") {
  for (const char* good : {"", "abc", "ó ű", "絆ふぉーえばー", "🎸", "\x7F", "\xF4\x8F\xBF\xBF"}) {
    CHECK(IsUtf8(good));
  }
  for (const char* bad : {"\x80", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xF5", "\xE7\xB5", "a\xFF"}) {
    CAPTURE(bad);
    CHECK_FALSE(IsUtf8(bad));
  }
}

TEST_CASE("a label is one trimmed line") {
  CHECK(ToLabel("  a song\n", 100) == "a song");
  CHECK(ToLabel("two\nlines\x01", 100) == "two lines");
  CHECK(ToLabel(" \t", 100).empty());
}

TEST_CASE("what is no UTF-8 is taken for Latin-1") {
  CHECK(ToLabel("Mot\xF6rhead", 100) == "Motörhead");
}

TEST_CASE("a label is cut between characters") {
  CHECK(ToLabel("絆絆絆", 8) == "絆絆");
  CHECK(ToLabel("abc", 2) == "ab");
}

TEST_CASE("what is shown plays no tricks, and is cut between characters") {
  CHECK(Printable("Motörhead \"絆\"") == "Motörhead \\\"絆\\\"");
  CHECK(Printable("a\nb\x1B[2J") == "a\\nb\\x1b[2J");
  CHECK(Printable("\xC2\x9B"
                  "2J") ==
        "\\xc2\\x9b"
        "2J");
  CHECK(Printable("a\xFFz") == "a\\xffz");
  CHECK(Printable("xé", 2) == "x...");
  CHECK(Printable("xé", 3) == "xé");
}

}  // namespace
}  // namespace unbraid::base
