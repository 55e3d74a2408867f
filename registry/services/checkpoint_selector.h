#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "registry/services/keep_rule.h"

namespace mendel::registry {

// One checkpoint of a run: "best:chi2_ndf:min" and "last" of those that are kept,
// "step:1844000" of all.
class CheckpointSelector {
 public:
  struct Best {
    std::string metric;
    Better better;
  };
  struct Last {};
  struct Step {
    std::int64_t step;
  };
  using Value = std::variant<Best, Last, Step>;

  static CheckpointSelector parse(std::string_view text);  // throws invalid_argument

  const std::string& text() const { return text_; }
  const Value& value() const { return value_; }

 private:
  CheckpointSelector(std::string_view text, Value value)
      : text_(text), value_(std::move(value)) {}

  std::string text_;
  Value value_;
};

}  // namespace mendel::registry
