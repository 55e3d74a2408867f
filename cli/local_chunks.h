#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "cli/local_file.h"
#include "storage/base/digest.h"

namespace mendel::cli {

struct LocalChunk {
  std::uint64_t offset;
  std::uint32_t size_bytes;
};

// Where the chunks of a local file are, found by cutting it as the server's are cut.
//
// Holds kChunksMax of them (about 64 GiB) and leaves out the rest: what lies there is
// fetched.
class LocalChunks {
 public:
  static constexpr std::size_t kChunksMax = 1u << 20;

  // Reads the whole file. path is for messages.
  LocalChunks(const Fd& file, const std::string& path);

  std::optional<LocalChunk> find(const Digest& chunk) const;

 private:
  std::unordered_map<Digest, LocalChunk> chunks_;
};

}  // namespace mendel::cli
