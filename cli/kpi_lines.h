#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mendel::cli {

// The server takes no longer lines.
inline constexpr std::size_t kKpiLineSizeMax = 64u << 10;

// Reads a file of events, a line each, in batches that fit one request. Empty lines are
// passed over; lines that no server takes, being too long, are told of and left out; so is
// a last line that was cut short.
class KpiLines {
 public:
  struct Batch {
    std::string bytes;                 // whole lines
    std::vector<std::uint64_t> lines;  // their numbers in the file, from 1
  };
  static constexpr std::size_t kBatchSizeMax = 4u << 20;
  static constexpr std::size_t kBatchLinesMax = 20'000;

  // stream outlives this.
  explicit KpiLines(std::istream& stream) : stream_(stream) {}

  std::optional<Batch> next();  // nullopt: the end

  const std::vector<std::uint64_t>& too_long() const { return too_long_; }

  // Of the last line; known at the end.
  std::uint64_t bytes_cut_short() const { return bytes_cut_short_; }

 private:
  std::optional<std::string_view> next_line();
  std::optional<std::string_view> last_line();
  bool read_more();

  std::istream& stream_;
  std::string block_;
  std::size_t at_ = 0;
  std::uint64_t line_ = 0;   // the number of the last one
  bool is_passing_ = false;  // over the rest of a line that is too long
  std::vector<std::uint64_t> too_long_;
  std::uint64_t bytes_cut_short_ = 0;
};

}  // namespace mendel::cli
