#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mendel::cli {

struct CsvRecord {
  std::size_t line;  // at which it begins, from 1
  std::vector<std::string> fields;
};

// Reads comma separated values as RFC 4180 has them: fields may be in double quotes, within
// which commas and line breaks are text and "" is a quote; lines end in LF or CRLF. Empty
// lines are passed over. Throws invalid_argument with the line for quotes that make no
// sense.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {}

  std::optional<CsvRecord> next();

 private:
  std::string read_field();
  std::string read_quoted();
  bool at_line_end() const;
  bool skip_line_end();

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace mendel::cli
