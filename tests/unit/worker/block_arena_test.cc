#include "services/worker/block_arena.h"

#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace unbraid::worker {
namespace {

constexpr size_t kPage = BlockArena::kAlignment;
constexpr size_t kReserved = size_t{1} << 30;

size_t ResidentPages(void* block, size_t pages) {
  std::vector<unsigned char> in_memory(pages);
  REQUIRE(mincore(block, pages * kPage, in_memory.data()) == 0);
  size_t count = 0;
  for (const unsigned char page : in_memory) count += page & 1U;
  return count;
}

TEST_CASE("what is given back serves the next block, with its pages") {
  BlockArena arena(kReserved);
  void* const first = arena.Take(100 * kPage);
  REQUIRE(first != nullptr);
  std::memset(first, 1, 100 * kPage);
  arena.GiveBack(first);
  CHECK(arena.taken_bytes() == 0);
  void* const second = arena.Take(99 * kPage + 1);
  CHECK(second == first);
  CHECK(arena.taken_bytes() == 100 * kPage);
  CHECK(ResidentPages(second, 100) == 100);
  CHECK(arena.span_bytes() == 100 * kPage);
}

TEST_CASE("the smallest gap that is large enough is taken, and gaps side by side become one") {
  BlockArena arena(kReserved);
  void* const large = arena.Take(8 * kPage);
  void* const wall = arena.Take(kPage);
  void* const small = arena.Take(3 * kPage);
  void* const last = arena.Take(kPage);
  arena.GiveBack(large);
  arena.GiveBack(small);
  CHECK(arena.Take(3 * kPage) == small);
  CHECK(arena.Take(2 * kPage) == large);
  arena.GiveBack(small);
  arena.GiveBack(wall);
  arena.GiveBack(large);
  CHECK(arena.Take(12 * kPage) == large);  // all three, without growing
  CHECK(arena.span_bytes() == 13 * kPage);
  arena.GiveBack(last);
}

TEST_CASE("growing takes the gap at the end into use") {
  BlockArena arena(kReserved);
  arena.GiveBack(arena.Take(4 * kPage));
  REQUIRE(arena.Take(6 * kPage) != nullptr);
  CHECK(arena.span_bytes() == 6 * kPage);
}

TEST_CASE("trimming gives the pages of gaps back, and leaves what is taken alone") {
  BlockArena arena(kReserved);
  auto* const kept = static_cast<char*>(arena.Take(10 * kPage));
  void* const gone = arena.Take(10 * kPage);
  std::memset(kept, 7, 10 * kPage);
  std::memset(gone, 7, 10 * kPage);
  arena.GiveBack(gone);
  CHECK(ResidentPages(gone, 10) == 10);
  arena.Trim();
  CHECK(ResidentPages(gone, 10) == 0);
  CHECK(ResidentPages(kept, 10) == 10);
  CHECK(kept[10 * kPage - 1] == 7);
}

TEST_CASE("when the addresses are used up there is no block, and the arena goes on") {
  BlockArena arena(10 * kPage);
  CHECK(arena.Take(11 * kPage) == nullptr);
  CHECK(arena.Take(SIZE_MAX) == nullptr);
  void* const most = arena.Take(9 * kPage);
  REQUIRE(most != nullptr);
  CHECK(arena.Take(2 * kPage) == nullptr);
  arena.GiveBack(most);
  CHECK(arena.Take(10 * kPage) != nullptr);
}

TEST_CASE("it knows its own blocks") {
  BlockArena arena(kReserved);
  int elsewhere = 0;
  CHECK(arena.Owns(arena.Take(1)));
  CHECK_FALSE(arena.Owns(&elsewhere));
  CHECK_FALSE(arena.Owns(nullptr));
}

// Takes and gives back at random; every block is filled with its own number.
void Exercise(BlockArena* arena, unsigned seed, bool* intact) {
  struct Block {
    unsigned char* bytes;
    size_t size;
    unsigned char mark;
  };
  std::mt19937 random(seed);
  std::vector<Block> blocks;
  for (int step = 0; step < 2000; ++step) {
    if (blocks.size() < 20 && random() % 2 == 0) {
      const size_t size = 1 + random() % (40 * kPage);
      auto* const bytes = static_cast<unsigned char*>(arena->Take(size));
      const auto mark = static_cast<unsigned char>(random());
      std::memset(bytes, mark, size);
      blocks.push_back({bytes, size, mark});
    } else if (!blocks.empty()) {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      const Block block = blocks.back();
      *intact = *intact && block.bytes[0] == block.mark &&
                std::memcmp(block.bytes, block.bytes + 1, block.size - 1) == 0;
      blocks.pop_back();
      arena->GiveBack(block.bytes);
    }
  }
  for (const Block& block : blocks) arena->GiveBack(block.bytes);
}

TEST_CASE("blocks never overlap, from several threads, and all of it becomes one gap again") {
  BlockArena arena(kReserved);
  bool intact[3] = {true, true, true};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 3; ++i) threads.emplace_back(Exercise, &arena, i, &intact[i]);
  for (std::thread& thread : threads) thread.join();
  CHECK((intact[0] && intact[1] && intact[2]));
  CHECK(arena.taken_bytes() == 0);
  const size_t span = arena.span_bytes();
  CHECK(arena.Take(span) != nullptr);
  CHECK(arena.span_bytes() == span);
}

}  // namespace
}  // namespace unbraid::worker
