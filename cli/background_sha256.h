#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "storage/base/sha256.h"

namespace mendel::cli {

// A SHA-256 that is computed in a thread of its own, so that receiving and writing a large
// file need not wait for it. Holds kBlocks blocks, few enough to stay in a processor's
// cache. For one thread.
class BackgroundSha256 {
 public:
  BackgroundSha256();
  ~BackgroundSha256();

  void update(std::span<const std::byte> data);  // copies data; waits for room
  Digest finish();                               // once

 private:
  static constexpr std::size_t kBlockSizeBytes = 128u << 10;
  static constexpr std::size_t kBlocks = 6;

  using Block = std::vector<std::byte>;

  void run();
  void hand_over();
  void close();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Block> full_;
  std::vector<Block> spare_;
  bool is_closed_ = false;

  Block filling_;
  Sha256 sha256_;  // the thread's, until it has ended
  std::jthread thread_;
};

}  // namespace mendel::cli
