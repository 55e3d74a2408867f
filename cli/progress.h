#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace mendel::cli {

// How far a transfer is: a line on standard error that renews itself, with rate and time
// left. There is none unless standard error is a terminal, and none of it stays. Any thread
// may add.
class Progress {
 public:
  Progress(std::string what, std::uint64_t total_bytes);
  ~Progress();

  void add(std::uint64_t bytes) { done_bytes_ += bytes; }

 private:
  void draw_until_done(std::stop_token stop);
  void draw() const;

  const std::string what_;
  const std::uint64_t total_bytes_;
  const std::chrono::steady_clock::time_point begin_;
  std::atomic<std::uint64_t> done_bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable_any done_;
  std::jthread painter_;
};

// "lamarr  [#####.....]  51 %  1.2 GiB of 2.4 GiB  310.0 MiB/s  0:04 left".
std::string progress_line(const std::string& what, std::uint64_t done_bytes,
                          std::uint64_t total_bytes, std::chrono::duration<double> elapsed);

}  // namespace mendel::cli
