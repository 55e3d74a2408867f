#include "storage/base/sha256_pair.h"

#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

// The instructions are described in Intel's "Intel SHA Extensions" (2013). They want the
// eight words of the state as ABEF and CDGH; sha256rnds2 makes two rounds, so that four
// rounds use one vector of four message words. The message schedule lives in four vectors:
// the one whose words have been used becomes the one that is needed four steps later.

namespace mendel {

#if defined(__x86_64__)

namespace {

constexpr unsigned kLeafExtendedFeatures = 7;
constexpr unsigned kShaBit = 1u << 29;  // of EBX

bool has_sha_instructions() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(kLeafExtendedFeatures, 0, &eax, &ebx, &ecx, &edx) != 0 &&
         (ebx & kShaBit) != 0 && __builtin_cpu_supports("sse4.1");
}

alignas(16) constexpr std::uint32_t kRoundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
    0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
    0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
    0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
    0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

#define MENDEL_SHA_INLINE __attribute__((target("sha,sse4.1"), always_inline)) inline

struct Lane {
  __m128i abef;
  __m128i cdgh;
  __m128i words[4];
};

MENDEL_SHA_INLINE __m128i load(const void* at) {
  return _mm_loadu_si128(static_cast<const __m128i*>(at));
}

MENDEL_SHA_INLINE void load_state(Lane& lane, const std::uint32_t* state) {
  const __m128i badc = _mm_shuffle_epi32(load(state), 0xb1);
  const __m128i hgfe = _mm_shuffle_epi32(load(state + 4), 0x1b);
  lane.abef = _mm_alignr_epi8(badc, hgfe, 8);
  lane.cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);
}

MENDEL_SHA_INLINE void store_state(const Lane& lane, std::uint32_t* state) {
  const __m128i feba = _mm_shuffle_epi32(lane.abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(lane.cdgh, 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state), _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

MENDEL_SHA_INLINE void load_block(Lane& lane, const std::byte* block) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  for (int i = 0; i < 4; ++i) {
    lane.words[i] = _mm_shuffle_epi8(load(block + 16 * i), big_endian);
  }
}

template <int kStep>
MENDEL_SHA_INLINE void four_rounds(Lane& lane) {
  __m128i& used = lane.words[kStep % 4];
  const __m128i next = lane.words[(kStep + 1) % 4];
  const __m128i after_next = lane.words[(kStep + 2) % 4];
  const __m128i last = lane.words[(kStep + 3) % 4];

  const __m128i input = _mm_add_epi32(used, load(kRoundConstants + 4 * kStep));
  lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, input);
  lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, _mm_shuffle_epi32(input, 0x0e));
  if constexpr (kStep < 12) {
    const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(used, next),
                                      _mm_alignr_epi8(last, after_next, 4));
    used = _mm_sha256msg2_epu32(sum, last);
  }
}

template <int kStep = 0>
MENDEL_SHA_INLINE void all_rounds(Lane& first, Lane& second) {
  four_rounds<kStep>(first);
  four_rounds<kStep>(second);
  if constexpr (kStep < 15) all_rounds<kStep + 1>(first, second);
}

MENDEL_SHA_INLINE void add_state(Lane& lane, __m128i abef, __m128i cdgh) {
  lane.abef = _mm_add_epi32(lane.abef, abef);
  lane.cdgh = _mm_add_epi32(lane.cdgh, cdgh);
}

}  // namespace

bool can_compress_pairs() {
  static const bool can = has_sha_instructions();
  return can;
}

__attribute__((target("sha,sse4.1"))) void sha256_compress_pair(
    std::uint32_t* first_state, const std::byte* first_blocks, std::uint32_t* second_state,
    const std::byte* second_blocks, std::size_t block_count) {
  Lane first, second;
  load_state(first, first_state);
  load_state(second, second_state);
  for (; block_count > 0; --block_count) {
    load_block(first, first_blocks);
    load_block(second, second_blocks);
    const Lane first_before = first;
    const Lane second_before = second;
    all_rounds(first, second);
    add_state(first, first_before.abef, first_before.cdgh);
    add_state(second, second_before.abef, second_before.cdgh);
    first_blocks += kSha256BlockSizeBytes;
    second_blocks += kSha256BlockSizeBytes;
  }
  store_state(first, first_state);
  store_state(second, second_state);
}

#undef MENDEL_SHA_INLINE

#else

bool can_compress_pairs() { return false; }

void sha256_compress_pair(std::uint32_t*, const std::byte*, std::uint32_t*,
                          const std::byte*, std::size_t) {
  std::abort();
}

#endif

}  // namespace mendel
