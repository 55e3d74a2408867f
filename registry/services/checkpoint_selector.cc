#include "registry/services/checkpoint_selector.h"

#include <fmt/format.h>

#include <charconv>

#include "storage/base/error.h"

namespace mendel::registry {

CheckpointSelector CheckpointSelector::parse(std::string_view text) {
  if (text == "last") return {text, Last{}};
  if (text.starts_with("step:")) {
    std::int64_t step = 0;
    const char* const end = text.data() + text.size();
    const auto [last, status] = std::from_chars(text.data() + 5, end, step);
    if (status == std::errc() && last == end && step >= 0) return {text, Step{step}};
  }
  const auto colon = text.rfind(':');
  if (text.starts_with("best:") && colon > 5) {
    return {text, Best{std::string(text.substr(5, colon - 5)),
                       parse_better(text.substr(colon + 1))}};
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("'{}' selects no checkpoint: there are best:METRIC:min|max, last "
                          "and step:N",
                          text));
}

}  // namespace mendel::registry
