#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/params.h"

namespace mendel::cli {

// Where a reader of hyperparameters stands, and what it has read so far: every reader keeps
// to the same limits, and says in the same words what is wrong and where.
class ParamsPlace {
 public:
  explicit ParamsPlace(Lossy lossy) : lossy_(lossy) {}

  // Going into a member or an element, and out again. Throws where it is too deep.
  void enter(std::string_view member);
  void enter(std::size_t index);
  void leave() { parts_.pop_back(); }

  std::string pointer() const;  // RFC 6901

  // Counts values, and the bytes of their text. Throws too_large.
  void count(std::size_t values, std::size_t bytes);

  // Throws invalid_argument: "/training/lr (line 7) …".
  [[noreturn]] void refuse(std::size_t line, const std::string& rule) const;

  // Whole numbers in digits of the base, after an optional sign; others in any notation
  // that strtod reads.
  nlohmann::json integer(std::string_view written, std::string_view digits, bool negative,
                         int base, std::size_t line) const;
  nlohmann::json floating(std::string_view written, std::size_t line) const;

  // NaN and infinities.
  nlohmann::json not_finite(std::string_view written, std::size_t line) const;

  // Text that a version can hold. Throws for a NUL character.
  nlohmann::json text(std::string_view text, std::size_t line) const;

 private:
  void enter_part(std::string part);
  nlohmann::json inexact(std::string_view written, std::size_t line,
                         const std::string& rule) const;

  Lossy lossy_;
  std::vector<std::string> parts_;
  std::size_t values_ = 0;
  std::size_t bytes_ = 0;
};

// The two notations. text is valid UTF-8.
nlohmann::json read_json_params(std::string_view text, Lossy lossy);
nlohmann::json read_yaml_params(std::string_view text, Lossy lossy);
std::vector<nlohmann::json> read_yaml_documents(std::string_view text);

}  // namespace mendel::cli
