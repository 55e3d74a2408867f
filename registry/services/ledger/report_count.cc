#include "registry/services/ledger/report_count.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <utility>

#include "registry/services/ledger/amount_sum.h"

namespace mendel::registry {

namespace {

using Count = KpiDefinition::Count;
using std::chrono::sys_days;

Amount whole(std::int64_t number) { return Amount::parse(std::to_string(number)); }

// What sums add up to, piece by piece.
class Counter {
 public:
  explicit Counter(Count count) : count_(count) {}

  void add(const LedgerSum& sum) {
    amount_.add(sum.amount);
    entries_ += sum.weight;
    rows_ += sum.entries;
    if (count_ == Count::distinct) weights_[sum.value] += sum.weight;
  }
  void add(const LedgerDay& day) {
    amount_.add(day.amount);
    entries_ += day.weight;
    ++rows_;
    if (count_ == Count::distinct) weights_[day.value] += day.weight;
  }

  Counted counted() const { return {.value = value(), .entries = entries_}; }

  // A part may be zero, or below it, and tell something; not one of corrected entries.
  bool is_empty() const {
    return rows_ == 0 || (entries_ == 0 && amount_.total().is_zero());
  }

 private:
  Amount value() const {
    switch (count_) {
      case Count::sum: return amount_.total();
      case Count::entries: return whole(entries_);
      case Count::distinct:
        return whole(std::ranges::count_if(weights_, [](const auto& value_and_weight) {
          return !value_and_weight.first.empty() && value_and_weight.second > 0;
        }));
    }
    return Amount();
  }

  Count count_;
  AmountSum amount_;
  std::int64_t entries_ = 0;
  std::int64_t rows_ = 0;
  std::map<std::string, std::int64_t> weights_;  // by value, of distinct ones
};

using Counters = std::map<std::string, Counter>;

std::vector<ReportPart> parts_of(const Counters& counters) {
  std::vector<ReportPart> parts;
  for (const auto& [key, counter] : counters) {
    if (counter.is_empty()) continue;
    auto counted = counter.counted();
    parts.push_back({.key = key, .value = counted.value, .entries = counted.entries});
  }
  return parts;
}

}  // namespace

const std::string& counting_key(const KpiDefinition& definition) {
  static const std::string everything;
  return definition.count == Count::distinct ? definition.distinct_key : everything;
}

Counted count(const KpiDefinition& definition, std::span<const LedgerSum> sums) {
  Counter counter(definition.count);
  for (const LedgerSum& sum : sums) counter.add(sum);
  return counter.counted();
}

std::vector<ReportPart> count_parts(
    const KpiDefinition& definition, std::span<const LedgerSum> sums,
    const std::function<std::string(const LedgerSum&)>& key_of) {
  Counters counters;
  for (const LedgerSum& sum : sums) {
    counters.try_emplace(key_of(sum), definition.count).first->second.add(sum);
  }
  return parts_of(counters);
}

std::vector<ReportPart> count_months(const KpiDefinition& definition,
                                     std::span<const LedgerDay> days) {
  Counters counters;
  for (const LedgerDay& day : days) {
    counters.try_emplace(month_of(day.day), definition.count).first->second.add(day);
  }
  return parts_of(counters);
}

std::string month_of(sys_days day) {
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()));
}

void sort_parts(std::vector<ReportPart>& parts) {
  std::ranges::sort(parts, [](const ReportPart& one, const ReportPart& other) {
    const double size = one.value.to_double();
    const double other_size = other.value.to_double();
    return size != other_size ? size > other_size : one.key < other.key;
  });
}

std::vector<ReportPoint> accumulate(const KpiDefinition& definition,
                                    std::vector<LedgerDay> days) {
  std::ranges::stable_sort(days, {}, &LedgerDay::day);
  std::vector<ReportPoint> points;
  Counter counter(definition.count);
  for (std::size_t at = 0; at < days.size(); ++at) {
    counter.add(days[at]);
    const bool is_end_of_day = at + 1 == days.size() || days[at + 1].day != days[at].day;
    if (!is_end_of_day) continue;
    ReportPoint point{.day = days[at].day, .value = counter.counted().value};
    const bool is_step = points.empty() || points.back().value != point.value;
    if (is_step) points.push_back(std::move(point));
  }
  return points;
}

std::vector<ReportPoint> thinned_out(std::vector<ReportPoint> points,
                                     std::size_t points_max) {
  if (points.size() <= points_max) return points;
  std::vector<ReportPoint> some;
  for (std::size_t nth = 0; nth < points_max; ++nth) {
    some.push_back(points[nth * (points.size() - 1) / (points_max - 1)]);
  }
  return some;
}

}  // namespace mendel::registry
