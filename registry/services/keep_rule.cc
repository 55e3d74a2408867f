#include "registry/services/keep_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kRulesMax = 32;
constexpr std::int64_t kNumberMax = std::int64_t{1} << 53;

[[noreturn]] void broken(std::string_view rule, std::string_view how) {
  throw Error(ErrorCode::invalid_argument,
              fmt::format("'{}' is no rule of what to keep: {}", rule, how));
}

std::int64_t parse_number(std::string_view rule, std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [last, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc() || last != end || number < 1 || number > kNumberMax) {
    broken(rule, fmt::format("'{}' must be a whole number from 1", text));
  }
  return number;
}

// What stands before a separator, which is taken off; nullopt without one.
std::optional<std::string_view> take_until(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view before = text.substr(0, at);
  text.remove_prefix(at + 1);
  return before;
}

std::vector<std::size_t> positions(std::size_t count) {
  std::vector<std::size_t> all(count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

}  // namespace

Better parse_better(std::string_view text) {
  if (text == "min") return Better::min;
  if (text == "max") return Better::max;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("'{}' must be min or max: which value is better", text));
}

std::vector<std::size_t> by_metric(std::span<const RuledCheckpoint> checkpoints,
                                   const std::string& metric, Better better) {
  struct Candidate {
    double value;
    std::int64_t step;
    std::size_t position;
  };
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < checkpoints.size(); ++i) {
    const auto found = checkpoints[i].metrics.find(metric);
    if (found == checkpoints[i].metrics.end() || std::isnan(found->second)) continue;
    const double value = better == Better::min ? found->second : -found->second;
    candidates.push_back({value, checkpoints[i].step, i});
  }
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return std::pair(a.value, a.step) < std::pair(b.value, b.step);
  });
  std::vector<std::size_t> sorted;
  for (const Candidate& candidate : candidates) sorted.push_back(candidate.position);
  return sorted;
}

KeepRule::Rule KeepRule::parse_rule(std::string_view text) {
  std::string_view rest = text;
  const auto word = take_until(rest, ':');
  if (word == "last") return Last{static_cast<std::size_t>(parse_number(text, rest))};
  if (word == "every") return Every{parse_number(text, rest)};
  if (word == "best") {
    const auto count = take_until(rest, ':');
    const auto colon = rest.rfind(':');
    if (!count || colon == std::string_view::npos || colon == 0) {
      broken(text, "it must be best:N:METRIC:min or best:N:METRIC:max");
    }
    return Best{static_cast<std::size_t>(parse_number(text, *count)),
                std::string(rest.substr(0, colon)), parse_better(rest.substr(colon + 1))};
  }
  broken(text, "there are best:N:METRIC:min|max, last:N and every:STEPS");
}

KeepRule KeepRule::parse(std::string_view text) {
  KeepRule keep;
  keep.text_ = text;
  if (text.empty()) return keep;
  std::string_view rest = text;
  while (const auto rule = take_until(rest, ',')) keep.rules_.push_back(parse_rule(*rule));
  keep.rules_.push_back(parse_rule(rest));
  if (keep.rules_.size() > kRulesMax) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("there are more than {} rules of what to keep", kRulesMax));
  }
  return keep;
}

std::vector<std::size_t> KeepRule::kept_by(const Rule& rule,
                                           std::span<const RuledCheckpoint> checkpoints) {
  std::vector<std::size_t> kept;
  if (const auto* best = std::get_if<Best>(&rule)) {
    kept = by_metric(checkpoints, best->metric, best->better);
    kept.resize(std::min(kept.size(), best->count));
  } else if (const auto* last = std::get_if<Last>(&rule)) {
    kept = positions(checkpoints.size());
    std::ranges::sort(kept, std::greater(),
                      [&](std::size_t i) { return checkpoints[i].step; });
    kept.resize(std::min(kept.size(), last->count));
  } else {
    kept = positions(checkpoints.size());
    std::erase_if(kept, [&](std::size_t i) {
      return checkpoints[i].step % std::get<Every>(rule).steps != 0;
    });
  }
  return kept;
}

std::vector<std::size_t> KeepRule::dropped(
    std::span<const RuledCheckpoint> checkpoints) const {
  if (rules_.empty()) return {};
  std::vector<bool> stays(checkpoints.size());
  for (const Rule& rule : rules_) {
    for (const std::size_t i : kept_by(rule, checkpoints)) stays[i] = true;
  }
  auto left = positions(checkpoints.size());
  std::erase_if(left,
                [&](std::size_t i) { return stays[i] || checkpoints[i].is_published; });
  return left;
}

}  // namespace mendel::registry
