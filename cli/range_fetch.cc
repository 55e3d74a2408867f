#include "cli/range_fetch.h"

#include <fmt/core.h>

#include "cli/interrupt.h"

namespace mendel::cli {

namespace {

constexpr int kAttemptsMax = 5;

// Counts what arrives, so that the next attempt begins behind it.
class CountingSink : public Sink {
 public:
  CountingSink(Sink& sink, std::uint64_t size_bytes_max)
      : sink_(sink), left_bytes_(size_bytes_max) {}

  std::uint64_t left_bytes() const { return left_bytes_; }

  void write(std::span<const std::byte> data) override {
    if (data.size() > left_bytes_) {
      throw Error(ErrorCode::data_loss, "the server sent more than it was asked for");
    }
    sink_.write(data);
    left_bytes_ -= data.size();
  }

 private:
  Sink& sink_;
  std::uint64_t left_bytes_;
};

}  // namespace

void fetch_range(ApiClient& server, const std::string& file_path, ByteRange range,
                 Sink& sink) {
  if (range.size_bytes == 0) return;
  CountingSink counting(sink, range.size_bytes);
  const std::uint64_t end = range.offset + range.size_bytes;
  const auto attempt = [&] {
    const std::uint64_t begin = end - counting.left_bytes();
    HttpRequest request;
    request.url = file_path;
    request.headers.push_back(fmt::format("Range: bytes={}-{}", begin, end - 1));
    const HttpAnswer answer = server.stream(std::move(request), counting);
    if (answer.status == 200 && begin != 0) {
      throw Error(ErrorCode::data_loss,
                  "the server sent the whole file instead of a range");
    }
    if (counting.left_bytes() != 0)
      throw Error(ErrorCode::unavailable, "the answer was cut short");
  };
  with_retries(attempt, [&] { return counting.left_bytes(); });
}

void with_retries(const std::function<void()>& attempt,
                  const std::function<std::uint64_t()>& progress_made) {
  std::uint64_t before = progress_made();
  for (int failures = 0;;) {
    try {
      return attempt();
    } catch (const Error& error) {
      const bool moved = progress_made() != before;
      failures = moved ? 1 : failures + 1;
      before = progress_made();
      if (failures == kAttemptsMax || !is_transient(error.code())) throw;
    }
    sleep_unless_interrupted(std::chrono::milliseconds(250 << failures));
  }
}

}  // namespace mendel::cli
