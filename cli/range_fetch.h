#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "cli/api_client.h"

namespace mendel::cli {

struct ByteRange {
  std::uint64_t offset;
  std::uint64_t size_bytes;
};

// Streams a range of a file of a numbered version into sink, and takes it up where it
// broke. Throws data_loss if the server sends something else than the range.
void fetch_range(ApiClient& server, const std::string& file_path, ByteRange range,
                 Sink& sink);

// Calls attempt until it returns, with pauses in between, as long as it throws what is
// transient. As long as progress_made returns something else than before, it starts
// counting anew: a large file over a bad line arrives in the end.
void with_retries(const std::function<void()>& attempt,
                  const std::function<std::uint64_t()>& progress_made);

}  // namespace mendel::cli
