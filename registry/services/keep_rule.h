#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mendel::registry {

// What a rule or a selector looks at.
struct RuledCheckpoint {
  std::int64_t step = 0;
  std::map<std::string, double> metrics;
  bool is_published = false;
};

enum class Better : std::uint8_t { min, max };

// Which checkpoints of a run stay, as text: rules separated by commas, of which any keeps a
// checkpoint.
//
//   best:5:chi2_ndf:min    the 5 of the lowest (max: highest) metric; those without the
//                          metric, or with NaN, are none of them
//   last:2                 the 2 of the highest steps
//   every:100000           those whose step is a multiple of 100000
//
// Without a rule all stay, and so does one that was published. Of two that are equally good
// the one of the lower step is better: nothing that a rule has kept is dropped for its
// equal.
class KeepRule {
 public:
  // Throws invalid_argument, saying which rule is broken and how.
  static KeepRule parse(std::string_view text);

  const std::string& text() const { return text_; }

  // The positions of those that no rule keeps.
  std::vector<std::size_t> dropped(std::span<const RuledCheckpoint> checkpoints) const;

 private:
  struct Best {
    std::size_t count;
    std::string metric;
    Better better;
  };
  struct Last {
    std::size_t count;
  };
  struct Every {
    std::int64_t steps;
  };
  using Rule = std::variant<Best, Last, Every>;

  static Rule parse_rule(std::string_view text);
  static std::vector<std::size_t> kept_by(const Rule& rule,
                                          std::span<const RuledCheckpoint> checkpoints);

  std::string text_;
  std::vector<Rule> rules_;
};

// The positions of those that have the metric, the best one first.
std::vector<std::size_t> by_metric(std::span<const RuledCheckpoint> checkpoints,
                                   const std::string& metric, Better better);

// "min" or "max"; throws invalid_argument.
Better parse_better(std::string_view text);

}  // namespace mendel::registry
