#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/api_client.h"

namespace mendel::cli {

// Columns as wide as they need to be, for people; scripts ask for --json.
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  void add(std::vector<std::string> row);
  void hide_header() { has_header_ = false; }
  void print() const;

 private:
  bool has_header_ = true;
  std::vector<std::vector<std::string>> rows_;
};

// One document on standard output.
void print_json(const Json& document);

// {"items": […]}
void print_json_items(const std::vector<Json>& items);

// A member as text: strings as they are, nothing for what is absent, the rest as JSON.
std::string text_of(const Json& object, std::string_view member);
std::string joined(const Json& object, std::string_view member);  // of a list of strings

std::string format_size(std::uint64_t bytes);  // "2.5 MiB"

// What came from elsewhere, made harmless for a terminal: control characters as \xNN.
std::string printable(std::string_view text);

}  // namespace mendel::cli
