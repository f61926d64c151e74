#include "services/common/base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

// Written here because the distribution's Abseil has no CRC yet and it packages no other CRC32C
// library.

namespace unbraid::base {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // Castagnoli, bit-reversed

constexpr std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = MakeTable();

#if defined(__x86_64__)
constexpr size_t kPart = 4096;

// What a sum becomes when kPart zero bytes follow: the XOR of what each of its bits becomes, and so
// of what its four bytes become.
class SkipPart {
 public:
  SkipPart() {
    for (uint32_t bit = 0; bit < 32; ++bit) {
      uint32_t crc = uint32_t{1} << bit;
      for (size_t i = 0; i < kPart; ++i) crc = (crc >> 8) ^ kTable[crc & 0xFF];
      for (uint32_t value = 0; value < 256; ++value) {
        if ((value >> bit % 8 & 1) != 0) table_[bit / 8][value] ^= crc;
      }
    }
  }
  uint32_t Over(uint32_t crc) const {
    return table_[0][crc & 0xFF] ^ table_[1][crc >> 8 & 0xFF] ^ table_[2][crc >> 16 & 0xFF] ^
           table_[3][crc >> 24];
  }

 private:
  std::array<std::array<uint32_t, 256>, 4> table_{};
};

uint64_t Word(const char* position) {
  uint64_t word;
  std::memcpy(&word, position, sizeof(word));
  return word;
}

__attribute__((target("sse4.2"))) uint32_t Crc32cHardware(absl::string_view bytes) {
  static const SkipPart skip_part;
  uint64_t crc = 0xFFFFFFFF;
  const char* position = bytes.data();
  size_t left = bytes.size();
  // The instruction gives its result after three cycles but can be begun in each, so three parts
  // are summed side by side, and put together.
  for (; left >= 3 * kPart; left -= 3 * kPart, position += 3 * kPart) {
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < kPart; i += sizeof(uint64_t)) {
      crc = _mm_crc32_u64(crc, Word(position + i));
      second = _mm_crc32_u64(second, Word(position + kPart + i));
      third = _mm_crc32_u64(third, Word(position + 2 * kPart + i));
    }
    crc = skip_part.Over(static_cast<uint32_t>(crc)) ^ second;
    crc = skip_part.Over(static_cast<uint32_t>(crc)) ^ third;
  }
  for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), position += sizeof(uint64_t)) {
    crc = _mm_crc32_u64(crc, Word(position));
  }
  auto narrow = static_cast<uint32_t>(crc);
  for (; left > 0; --left, ++position) {
    narrow = _mm_crc32_u8(narrow, static_cast<uint8_t>(*position));
  }
  return ~narrow;
}
#endif

}  // namespace

uint32_t Crc32cPortable(absl::string_view bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (char c : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<uint8_t>(c)) & 0xFF];
  return ~crc;
}

uint32_t Crc32c(absl::string_view bytes) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return Crc32cHardware(bytes);
#endif
  return Crc32cPortable(bytes);
}

}  // namespace unbraid::base
