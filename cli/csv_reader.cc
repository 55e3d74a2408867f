#include "cli/csv_reader.h"

#include <algorithm>

#include "storage/base/error.h"

namespace mendel::cli {

namespace {

[[noreturn]] void refuse(std::size_t line, const std::string& rule) {
  throw Error(ErrorCode::invalid_argument, "line " + std::to_string(line) + " " + rule);
}

}  // namespace

bool CsvReader::at_line_end() const {
  const std::string_view rest = text_.substr(at_);
  return rest.starts_with('\n') || rest.starts_with("\r\n");
}

bool CsvReader::skip_line_end() {
  if (!at_line_end()) return false;
  at_ += text_[at_] == '\r' ? 2 : 1;
  ++line_;
  return true;
}

std::optional<CsvRecord> CsvReader::next() {
  while (skip_line_end()) {
  }
  if (at_ == text_.size()) return std::nullopt;
  CsvRecord record{line_, {}};
  for (;;) {
    record.fields.push_back(read_field());
    if (at_ == text_.size() || skip_line_end()) return record;
    ++at_;  // a comma
  }
}

std::string CsvReader::read_field() {
  if (text_.substr(at_).starts_with('"')) return read_quoted();
  const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
  std::string field(text_.substr(at_, end - at_));
  if (field.find('"') != field.npos) refuse(line_, "has a quote within a field");
  at_ = end;
  if (end < text_.size() && text_[end] == '\n' && field.ends_with('\r')) {
    field.pop_back();
    --at_;
  }
  return field;
}

std::string CsvReader::read_quoted() {
  const std::size_t begin_line = line_;
  std::string field;
  for (++at_;;) {
    const std::size_t quote = text_.find('"', at_);
    if (quote == text_.npos) refuse(begin_line, "has a quote that never ends");
    const std::string_view part = text_.substr(at_, quote - at_);
    line_ += std::size_t(std::count(part.begin(), part.end(), '\n'));
    field += part;
    at_ = quote + 1;
    if (!text_.substr(at_).starts_with('"')) break;
    field += '"';
    ++at_;
  }
  if (at_ < text_.size() && text_[at_] != ',' && !at_line_end()) {
    refuse(line_, "goes on after a quote that ended");
  }
  return field;
}

}  // namespace mendel::cli
