#include "cli/output.h"

#include <fmt/core.h>

#include <algorithm>

namespace mendel::cli {

namespace {

// Of UTF-8: every byte but the continuations.
std::size_t width_of(std::string_view text) {
  return std::size_t(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

Table::Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }

void Table::add(std::vector<std::string> row) {
  for (std::string& cell : row) cell = printable(cell);
  rows_.push_back(std::move(row));
}

void Table::print() const {
  if (rows_.size() == 1) return;
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  for (std::size_t number = has_header_ ? 0 : 1; number < rows_.size(); ++number) {
    const auto& row = rows_[number];
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - width_of(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  }
}

void print_json(const Json& document) { fmt::print("{}\n", document.dump(2)); }

void print_json_items(const std::vector<Json>& items) { print_json({{"items", items}}); }

std::string text_of(const Json& object, std::string_view member) {
  const auto found = object.find(member);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string joined(const Json& object, std::string_view member) {
  std::string text;
  const auto list = object.find(member);
  if (list == object.end()) return text;
  for (const Json& item : *list) {
    text += (text.empty() ? "" : ", ") +
            (item.is_string() ? item.get<std::string>() : item.dump());
  }
  return text;
}

std::string format_size(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = double(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string printable(std::string_view text) {
  std::string safe;
  for (const unsigned char c : text) {
    if (c < 0x20 || c == 0x7f) {
      safe += fmt::format("\\x{:02x}", c);
    } else {
      safe += char(c);
    }
  }
  return safe;
}

}  // namespace mendel::cli
