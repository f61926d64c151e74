#include "services/worker/block_arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace unbraid::worker {
namespace {

size_t RoundUp(size_t bytes) {
  const size_t least = std::max<size_t>(bytes, 1);
  return (least + BlockArena::kAlignment - 1) / BlockArena::kAlignment * BlockArena::kAlignment;
}

}  // namespace

BlockArena::BlockArena(size_t reserved_bytes) : reserved_(RoundUp(reserved_bytes)) {
  void* const range =
      mmap(nullptr, reserved_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range != MAP_FAILED) base_ = static_cast<char*>(range);
}

BlockArena::~BlockArena() {
  if (base_ != nullptr) munmap(base_, reserved_);
}

void* BlockArena::Take(size_t bytes) {
  if (base_ == nullptr || bytes > reserved_) return nullptr;
  const size_t size = RoundUp(bytes);
  absl::MutexLock lock(&mutex_);
  if (gaps_.lower_bound({size, 0}) == gaps_.end() && !Grow(size)) return nullptr;
  const auto [gap, offset] = *gaps_.lower_bound({size, 0});
  RemoveGap(offset, gap);
  if (gap > size) AddGap(offset + size, gap - size);
  blocks_[offset] = size;
  taken_ += size;
  return base_ + offset;
}

// The last gap, if it reaches the end, is the beginning of what is wanted.
bool BlockArena::Grow(size_t bytes) {
  size_t missing = bytes;
  if (!sizes_of_gaps_.empty()) {
    const auto [offset, size] = *sizes_of_gaps_.rbegin();
    if (offset + size == span_) missing -= size;
  }
  if (missing > reserved_ - span_) return false;
  if (mprotect(base_ + span_, missing, PROT_READ | PROT_WRITE) != 0) return false;
  const size_t offset = span_;
  span_ += missing;
  AddGap(offset, missing);
  return true;
}

void BlockArena::GiveBack(void* block) {
  absl::MutexLock lock(&mutex_);
  const auto offset = static_cast<size_t>(static_cast<char*>(block) - base_);
  const auto found = blocks_.find(offset);
  const size_t size = found->second;
  blocks_.erase(found);
  taken_ -= size;
  AddGap(offset, size);
}

bool BlockArena::Owns(const void* block) const {
  const auto address = reinterpret_cast<uintptr_t>(block);
  const auto begin = reinterpret_cast<uintptr_t>(base_);
  return base_ != nullptr && address >= begin && address < begin + reserved_;
}

void BlockArena::AddGap(size_t offset, size_t size) {
  const auto after = sizes_of_gaps_.find(offset + size);
  if (after != sizes_of_gaps_.end()) {
    const size_t more = after->second;
    RemoveGap(offset + size, more);
    size += more;
  }
  const auto next = sizes_of_gaps_.lower_bound(offset);
  if (next != sizes_of_gaps_.begin()) {
    const auto [before, length] = *std::prev(next);
    if (before + length == offset) {
      RemoveGap(before, length);
      offset = before;
      size += length;
    }
  }
  sizes_of_gaps_[offset] = size;
  gaps_.insert({size, offset});
}

void BlockArena::RemoveGap(size_t offset, size_t size) {
  sizes_of_gaps_.erase(offset);
  gaps_.erase({size, offset});
}

void BlockArena::Trim() {
  absl::MutexLock lock(&mutex_);
  for (const auto& [offset, size] : sizes_of_gaps_) madvise(base_ + offset, size, MADV_DONTNEED);
}

size_t BlockArena::taken_bytes() const {
  absl::MutexLock lock(&mutex_);
  return taken_;
}

size_t BlockArena::span_bytes() const {
  absl::MutexLock lock(&mutex_);
  return span_;
}

}  // namespace unbraid::worker
