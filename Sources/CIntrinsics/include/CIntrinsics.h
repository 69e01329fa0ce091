#pragma once
// Processor instructions that Swift cannot spell, as static inline functions so that they inline
// into Swift loops. Each has a portable path, tested by `make PORTABLE=1`.
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/// A mask of the 32 bytes at `at` that equal `byte`; bit 0 is the first byte. Reads 32 bytes.
static inline uint32_t ci_equal_mask32(const uint8_t *_Nonnull at, uint8_t byte) {
#if defined(__AVX2__)
    __m256i block = _mm256_loadu_si256((const __m256i *)at);
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(block, _mm256_set1_epi8((char)byte)));
#else
    uint32_t mask = 0;
    for (int i = 0; i < 32; i++) mask |= (uint32_t)(at[i] == byte) << i;
    return mask;
#endif
}

/// A mask of positions `i` in 0..<32 where `at[i] == first` and `at[i + distance] == last`.
/// Reads `32 + distance` bytes.
static inline uint32_t ci_pair_mask32(
    const uint8_t *_Nonnull at, size_t distance, uint8_t first, uint8_t last) {
    return ci_equal_mask32(at, first) & ci_equal_mask32(at + distance, last);
}

/// CRC-32C (Castagnoli) of `count` bytes, continuing from `crc` (0 at the start).
static inline uint32_t ci_crc32c(uint32_t crc, const uint8_t *_Nullable bytes, size_t count) {
    crc = ~crc;
#if defined(__SSE4_2__)
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        crc = (uint32_t)_mm_crc32_u64(crc, word);
        bytes += 8;
        count -= 8;
    }
    while (count--) crc = _mm_crc32_u8(crc, *bytes++);
#else
    while (count--) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1)));
    }
#endif
    return ~crc;
}

/// Swaps `*slot` from `expected` to `desired` if it still holds `expected`; returns what it held.
static inline uint64_t ci_compare_and_swap64(
    uint64_t *_Nonnull slot, uint64_t expected, uint64_t desired) {
    __atomic_compare_exchange_n(slot, &expected, desired, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return expected;
}

/// Sets the bits of `mask` in `*word` atomically.
static inline void ci_atomic_or64(uint64_t *_Nonnull word, uint64_t mask) {
    __atomic_fetch_or(word, mask, __ATOMIC_RELAXED);
}

static inline void ci_prefetch(const void *_Nonnull at) { __builtin_prefetch(at, 0, 3); }
