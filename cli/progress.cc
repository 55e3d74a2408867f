#include "cli/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "cli/output.h"

namespace mendel::cli {

namespace {

constexpr int kBarWidth = 24;
constexpr std::chrono::milliseconds kInterval{200};

std::string time_left(std::uint64_t left_bytes, double bytes_per_second) {
  if (bytes_per_second < 1) return "";
  const auto seconds = std::uint64_t(double(left_bytes) / bytes_per_second);
  if (seconds >= 3600) {
    return fmt::format("{}:{:02}:{:02} left", seconds / 3600, seconds / 60 % 60,
                       seconds % 60);
  }
  return fmt::format("{}:{:02} left", seconds / 60, seconds % 60);
}

}  // namespace

std::string progress_line(const std::string& what, std::uint64_t done_bytes,
                          std::uint64_t total_bytes,
                          std::chrono::duration<double> elapsed) {
  done_bytes = std::min(done_bytes, total_bytes);
  const double part = total_bytes ? double(done_bytes) / double(total_bytes) : 1;
  const auto filled = std::size_t(part * kBarWidth);
  const double rate = elapsed.count() > 0 ? double(done_bytes) / elapsed.count() : 0;
  return fmt::format("{}  [{}{}] {:3.0f} %  {} of {}  {}/s  {}", what,
                     std::string(filled, '#'), std::string(kBarWidth - filled, '.'),
                     part * 100, format_size(done_bytes), format_size(total_bytes),
                     format_size(std::uint64_t(rate)),
                     time_left(total_bytes - done_bytes, rate));
}

Progress::Progress(std::string what, std::uint64_t total_bytes)
    : what_(std::move(what)),
      total_bytes_(total_bytes),
      begin_(std::chrono::steady_clock::now()) {
  if (!::isatty(STDERR_FILENO)) return;
  painter_ = std::jthread([this](std::stop_token stop) { draw_until_done(stop); });
}

Progress::~Progress() {
  if (!painter_.joinable()) return;
  painter_.request_stop();
  painter_.join();
  fmt::print(stderr, "\r\x1b[K");
}

void Progress::draw_until_done(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!done_.wait_for(lock, stop, kInterval, [&] { return stop.stop_requested(); }))
    draw();
}

void Progress::draw() const {
  const auto elapsed = std::chrono::steady_clock::now() - begin_;
  fmt::print(stderr, "\r{}\x1b[K",
             progress_line(what_, done_bytes_, total_bytes_, elapsed));
  std::fflush(stderr);
}

}  // namespace mendel::cli
