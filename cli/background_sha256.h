#pragma once

#include <span>
#include <thread>

#include "cli/block_queue.h"
#include "storage/base/sha256.h"

namespace mendel::cli {

// A SHA-256 that is computed in a thread of its own, so that receiving and writing a large
// file need not wait for it. Holds a BlockQueue. For one thread.
class BackgroundSha256 {
 public:
  BackgroundSha256();
  ~BackgroundSha256();

  void update(std::span<const std::byte> data);  // copies data; waits for room
  Digest finish();                               // once

 private:
  BlockQueue queue_;
  Sha256 sha256_;  // the thread's, until it has ended
  std::jthread thread_;
};

}  // namespace mendel::cli
