#include "cli/dataset_list.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/csv_reader.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

using nlohmann::json;
using storage::ManifestFile;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kProblemsShownMax = 10;

[[noreturn]] void refuse(std::size_t line, const std::string& rule) {
  throw Error(ErrorCode::invalid_argument, "line " + std::to_string(line) + " " + rule);
}

// What is listed, and where.
struct List {
  std::vector<ManifestFile> files;
  std::vector<std::size_t> lines;

  void add(std::size_t line, ManifestFile file) {
    if (files.size() == kListedFilesMax) {
      throw Error(ErrorCode::too_large,
                  "a list has at most " + std::to_string(kListedFilesMax) + " files");
    }
    files.push_back(std::move(file));
    lines.push_back(line);
  }
};

std::vector<std::string> split_at_blanks(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (text.empty()) return parts;
    const std::string_view part = text.substr(0, text.find_first_of(" \t\r\n"));
    parts.emplace_back(part);
    text.remove_prefix(part.size());
  }
}

std::string in_lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  }
  return text;
}

void require_locations(const ManifestFile& file, std::size_t line) {
  if (file.locations.empty()) refuse(line, "has no location");
}

// The columns of a header, in the order of the file.
enum class Column { path, size, checksum, locations };

Column parse_column(const std::string& name, std::size_t line) {
  if (name == "path") return Column::path;
  if (name == "size") return Column::size;
  if (name == "checksum") return Column::checksum;
  if (name == "locations" || name == "location") return Column::locations;
  refuse(line, "has a column '" + name +
                   "', which is none of path, size, checksum and locations");
}

std::vector<Column> parse_header(const CsvRecord& header) {
  std::vector<Column> columns;
  for (const std::string& name : header.fields) {
    const Column column = parse_column(name, header.line);
    if (std::ranges::find(columns, column) != columns.end()) {
      refuse(header.line, "has the column '" + name + "' twice");
    }
    columns.push_back(column);
  }
  if (columns.size() != 4) {
    refuse(header.line,
           "is no header with all of the columns path, size, checksum and locations");
  }
  return columns;
}

std::uint64_t parse_size(const std::string& text, std::size_t line) {
  std::uint64_t size = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, size);
  if (status != std::errc() || stop != end) {
    refuse(line, "has the size '" + text.substr(0, 40) + "', which is no number of bytes");
  }
  return size;
}

ManifestFile read_record(const CsvRecord& record, const std::vector<Column>& columns) {
  if (record.fields.size() != columns.size()) {
    refuse(record.line, "has " + std::to_string(record.fields.size()) + " fields, and " +
                            std::to_string(columns.size()) + " columns are named");
  }
  ManifestFile file;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string& field = record.fields[i];
    switch (columns[i]) {
      case Column::path: file.path = field; break;
      case Column::size: file.size_bytes = parse_size(field, record.line); break;
      case Column::checksum: file.checksum = in_lower_case(field); break;
      case Column::locations: file.locations = split_at_blanks(field); break;
    }
  }
  require_locations(file, record.line);
  return file;
}

List read_csv(std::string_view text) {
  CsvReader reader(text);
  const auto header = reader.next();
  if (!header) throw Error(ErrorCode::invalid_argument, "the list is empty");
  const std::vector<Column> columns = parse_header(*header);
  List list;
  while (const auto record = reader.next()) {
    list.add(record->line, read_record(*record, columns));
  }
  return list;
}

std::string text_member(const json& value, const std::string& name, std::size_t line) {
  if (!value.is_string()) refuse(line, "has a " + name + " that is no text");
  return value.get<std::string>();
}

std::vector<std::string> read_locations(const json& value, std::size_t line) {
  if (value.is_string()) return split_at_blanks(value.get_ref<const std::string&>());
  if (!value.is_array()) refuse(line, "has locations that are neither a list nor a text");
  std::vector<std::string> locations;
  for (const json& location : value) {
    locations.push_back(text_member(location, "location", line));
  }
  return locations;
}

ManifestFile read_object(const json& object, std::size_t line) {
  ManifestFile file;
  std::vector<Column> seen;
  for (const auto& [name, value] : object.items()) {
    const Column column = parse_column(name, line);
    seen.push_back(column);
    switch (column) {
      case Column::path: file.path = text_member(value, name, line); break;
      case Column::checksum:
        file.checksum = in_lower_case(text_member(value, name, line));
        break;
      case Column::locations: file.locations = read_locations(value, line); break;
      case Column::size:
        if (!value.is_number_unsigned()) {
          refuse(line, "has a size that is no number of bytes");
        }
        file.size_bytes = value.get<std::uint64_t>();
        break;
    }
  }
  if (seen.size() != 4) {
    refuse(line, "does not have exactly path, size, checksum and locations");
  }
  require_locations(file, line);
  return file;
}

List read_json_lines(std::string_view text) {
  List list;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::string_view row = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(row.size() + 1, text.size()));
    if (row.find_first_not_of(" \t\r") == row.npos) continue;
    const json object = json::parse(row, nullptr, false);
    if (!object.is_object()) refuse(line, "is no JSON object");
    list.add(line, read_object(object, line));
  }
  return list;
}

// "/files/17/checksum" is about a line of the list.
std::string located(const FieldError& error, const List& list) {
  constexpr std::string_view kFiles = "/files/";
  std::size_t position = list.lines.size();
  const std::string& pointer = error.pointer;
  if (!pointer.starts_with(kFiles)) return error.detail;
  const char* const begin = pointer.data() + kFiles.size();
  const auto end = std::from_chars(begin, pointer.data() + pointer.size(), position).ptr;
  if (position >= list.lines.size()) return error.detail;
  const std::string member(*end == '/' ? end + 1 : end);
  return "line " + std::to_string(list.lines[position]) + ": " +
         (member.empty() ? "it" : member) + " " + error.detail;
}

void require_rules(const List& list) {
  storage::Manifest manifest{storage::ArtifactKind::dataset, list.files, {}};
  try {
    storage::normalise(manifest);
  } catch (const Error& error) {
    std::string message = "the list cannot be taken:";
    const std::size_t shown = std::min(error.fields().size(), kProblemsShownMax);
    for (std::size_t i = 0; i < shown; ++i) {
      message += "\n  " + located(error.fields()[i], list);
    }
    if (shown < error.fields().size()) message += "\n  …";
    throw Error(ErrorCode::invalid_argument, message);
  }
}

std::string read_all(std::istream& stream) {
  std::string text;
  std::vector<char> buffer(1u << 20);
  while (stream.read(buffer.data(), std::streamsize(buffer.size())), stream.gcount() > 0) {
    text.append(buffer.data(), std::size_t(stream.gcount()));
    if (text.size() > kListSizeMax) {
      throw Error(ErrorCode::too_large,
                  "a list has at most " + std::to_string(kListSizeMax >> 20) + " MiB");
    }
  }
  if (stream.bad()) throw Error(ErrorCode::invalid_argument, "it cannot be read");
  return text;
}

std::string read_file(const std::string& file) {
  if (file == "-") return read_all(std::cin);
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw Error(ErrorCode::not_found, "it cannot be opened");
  return read_all(stream);
}

ListNotation notation_of(const std::string& file, std::string_view text) {
  if (file.ends_with(".csv")) return ListNotation::csv;
  if (file.ends_with(".ndjson") || file.ends_with(".jsonl")) {
    return ListNotation::json_lines;
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != text.npos && text[first] == '{' ? ListNotation::json_lines
                                                  : ListNotation::csv;
}

}  // namespace

std::vector<ManifestFile> parse_dataset_list(std::string_view text, ListNotation notation) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  List list = notation == ListNotation::csv ? read_csv(text) : read_json_lines(text);
  if (list.files.empty()) throw Error(ErrorCode::invalid_argument, "the list has no files");
  require_rules(list);
  return std::move(list.files);
}

std::vector<ManifestFile> load_dataset_list(const std::string& file) {
  try {
    const std::string text = read_file(file);
    return parse_dataset_list(text, notation_of(file, text));
  } catch (const Error& error) {
    throw Error(error.code(), "--from-list " + file + ": " + error.what());
  }
}

}  // namespace mendel::cli
