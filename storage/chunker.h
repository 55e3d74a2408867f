#pragma once

#include <cstddef>
#include <span>

namespace mendel::storage {

// Where blobs are cut into chunks. The three sizes, the gear table and the masks are a
// part of format version 1: changing any of them loses every duplicate with what is
// already stored, so they are frozen by a test.
inline constexpr std::size_t kChunkSizeMin = 16 * 1024;
inline constexpr std::size_t kChunkSizeTarget = 64 * 1024;
inline constexpr std::size_t kChunkSizeMax = 256 * 1024;

// Returns the size of the first chunk of data: a content-defined boundary after
// kChunkSizeMin, kChunkSizeMax at the most, data.size() if neither comes first. The answer
// depends only on the first kChunkSizeMax bytes, so a caller that is not at the end of its
// blob hands in at least that many. Returns 0 for no data.
//
// Source: Xia et al., "FastCDC" (USENIX ATC 2016) and "The Design of Fast Content-Defined
// Chunking" (IEEE TPDS 2020), with normalised chunking. Pure; any thread.
std::size_t first_chunk_size(std::span<const std::byte> data);

}  // namespace mendel::storage
