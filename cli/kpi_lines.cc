#include "cli/kpi_lines.h"

#include <nlohmann/json.hpp>

#include "storage/base/error.h"

namespace mendel::cli {

namespace {

constexpr std::size_t kBlockSize = 256u << 10;

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

std::optional<KpiLines::Batch> KpiLines::next() {
  Batch batch;
  while (batch.lines.size() < kBatchLinesMax &&
         batch.bytes.size() + kKpiLineSizeMax < kBatchSizeMax) {
    const auto line = next_line();
    if (!line) break;
    if (is_blank(*line)) continue;
    batch.bytes += *line;
    batch.bytes += '\n';
    batch.lines.push_back(line_);
  }
  if (batch.lines.empty()) return std::nullopt;
  return batch;
}

std::optional<std::string_view> KpiLines::next_line() {
  for (;;) {
    const auto end = block_.find('\n', at_);
    if (end == std::string::npos) {
      if (block_.size() - at_ > kKpiLineSizeMax) {
        is_passing_ = true;
        at_ = block_.size();
      }
      if (!read_more()) return last_line();
      continue;
    }
    const std::string_view line = std::string_view(block_).substr(at_, end - at_);
    at_ = end + 1;
    ++line_;
    if (!is_passing_ && line.size() <= kKpiLineSizeMax) return line;
    is_passing_ = false;
    too_long_.push_back(line_);
  }
}

std::optional<std::string_view> KpiLines::last_line() {
  const std::string_view rest = std::string_view(block_).substr(at_);
  at_ = block_.size();
  if (is_passing_) {
    is_passing_ = false;
    too_long_.push_back(++line_);
  } else if (!is_blank(rest)) {
    ++line_;
    if (nlohmann::json::parse(rest, nullptr, false).is_object()) return rest;
    bytes_cut_short_ = rest.size();
  }
  return std::nullopt;
}

bool KpiLines::read_more() {
  block_.erase(0, at_);
  at_ = 0;
  const std::size_t size = block_.size();
  block_.resize(size + kBlockSize);
  stream_.read(block_.data() + size, kBlockSize);
  block_.resize(size + static_cast<std::size_t>(stream_.gcount()));
  if (stream_.bad()) throw Error(ErrorCode::data_loss, "the file cannot be read");
  return block_.size() > size;
}

}  // namespace mendel::cli
