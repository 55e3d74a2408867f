// A range is put together of sums that are kept by day of occurrence and of recording, and
// of entries. The sums know whole days of both, and batches up to one of them (R). Of the
// days of occurrence that are whole in the range:
//
//   the range ends at R or later   all sums, and the entries of the batches after R
//   … before R                     the sums of the days of recording before its last one,
//                                  and that day's entries to its end; or with that day's
//                                  sums, less the day's entries after its end: whichever
//                                  has fewer entries
//
// Days of occurrence that are cut are summed up from entries, and so is everything for a
// key whose values no sums are kept of.

#include "registry/services/ledger/sums.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "registry/services/ledger/scope.h"
#include "schema/ledger_chain.h"
#include "schema/ledger_sums.h"

namespace mendel::registry {

namespace {

using schema::BatchRange;
using schema::KeptSums;
using schema::LedgerQuestion;
using schema::SummedEntries;
using std::chrono::days;
using std::chrono::microseconds;
using std::chrono::sys_days;

constexpr auto kTick = microseconds(1);

// A point in the chain: after a batch, or before all.
struct Place {
  std::int64_t sequence = 0;
  std::int64_t entry_count = 0;
};

Place place_of(const std::optional<schema::ChainedBatchRow>& batch) {
  if (!batch) return {};
  return {batch->sequence, batch->entries_through};
}

Place end_of_day_before(schema::Transaction& tx, sys_days day) {
  return place_of(schema::find_batch_recorded_until(tx, Timestamp(day) - kTick));
}

Place end_of(schema::Transaction& tx, const LedgerRange& range) {
  const Place recorded = place_of(schema::find_batch_recorded_until(tx, range.at));
  if (recorded.sequence <= range.sequence) return recorded;
  return place_of(schema::find_batch(tx, range.sequence));
}

// The days of occurrence that are whole in a range; none where they end before they begin.
struct WholeDays {
  std::optional<sys_days> first;
  sys_days last;

  explicit WholeDays(const LedgerRange& range)
      : last(std::chrono::floor<days>(range.until + kTick) - days(1)) {
    if (range.from) first = std::chrono::ceil<days>(*range.from);
  }
  bool are_none() const { return first && *first > last; }

  std::optional<Timestamp> begin() const { return first; }
  Timestamp end() const { return Timestamp(last + days(1)) - kTick; }
};

bool has_sums(const Counting& counting, const std::string& key) {
  return key.empty() || std::ranges::find(counting.keys, key) != counting.keys.end();
}

void ask_all_entries(LedgerQuestion& question, const LedgerRange& range, Place end) {
  question.entries.push_back({.batches = {.after = 0, .last = end.sequence},
                              .from = range.from,
                              .until = range.until});
}

// Entries between two places, of the whole days.
SummedEntries between(Place after, Place last, const WholeDays& whole) {
  return {.batches = {.after = after.sequence, .last = last.sequence},
          .from = whole.begin(),
          .until = whole.end()};
}

void ask_sums(schema::Transaction& tx, LedgerQuestion& question, const WholeDays& whole,
              Place end) {
  KeptSums kept{.first = whole.first, .last = whole.last, .recorded_before = std::nullopt};
  const Place rolled_up = place_of(
      schema::find_batch(tx, schema::find_rolled_up_to(tx, question.scope.counting_id)));
  if (rolled_up.sequence <= end.sequence) {
    question.kept = kept;
    if (rolled_up.sequence < end.sequence)
      question.entries.push_back(between(rolled_up, end, whole));
    return;
  }

  const auto next = schema::find_batch(tx, end.sequence + 1);
  const auto day = std::chrono::floor<days>(next->recorded_at);
  const Place day_begin = end_of_day_before(tx, day);
  Place day_end = end_of_day_before(tx, day + days(1));
  if (day_end.sequence > rolled_up.sequence) day_end = rolled_up;
  if (end.entry_count - day_begin.entry_count <= day_end.entry_count - end.entry_count) {
    kept.recorded_before = day;
    if (day_begin.sequence < end.sequence)
      question.entries.push_back(between(day_begin, end, whole));
  } else {
    kept.recorded_before = day + days(1);
    question.entries.push_back(between(end, day_end, whole));
    question.entries.back().is_taken_away = true;
  }
  question.kept = kept;
}

void ask_cut_days(LedgerQuestion& question, const LedgerRange& range,
                  const WholeDays& whole, Place end) {
  const BatchRange all{.after = 0, .last = end.sequence};
  if (range.from && *range.from < *whole.begin()) {
    question.entries.push_back(
        {.batches = all, .from = range.from, .until = *whole.begin() - kTick});
  }
  if (whole.end() < range.until) {
    question.entries.push_back(
        {.batches = all, .from = whole.end() + kTick, .until = range.until});
  }
}

LedgerQuestion question_of(schema::Transaction& tx, const Counting& counting,
                           const std::string& key, const LedgerRange& range) {
  LedgerQuestion question{.scope = scope_of(counting),
                          .key = key,
                          .kept = std::nullopt,
                          .entries = {},
                          .versions = std::nullopt};
  const Place end = end_of(tx, range);
  if (end.sequence == 0) return question;
  const WholeDays whole(range);
  if (whole.are_none() || !has_sums(counting, key)) {
    ask_all_entries(question, range, end);
  } else {
    ask_sums(tx, question, whole, end);
    ask_cut_days(question, range, whole, end);
  }
  return question;
}

std::vector<LedgerSum> sums_of(const std::vector<schema::LedgerSumRow>& rows) {
  std::vector<LedgerSum> sums;
  sums.reserve(rows.size());
  for (const auto& row : rows) {
    sums.push_back({.value = row.value,
                    .version = row.version_id,
                    .amount = Amount::parse(row.amount),
                    .weight = row.weight,
                    .entries = row.entries,
                    .cpu_seconds = Amount::parse(row.cpu_seconds),
                    .gpu_seconds = Amount::parse(row.gpu_seconds),
                    .energy_kwh = Amount::parse(row.energy_kwh)});
  }
  return sums;
}

}  // namespace

std::vector<LedgerSum> LedgerSums::by(const Counting& counting, const std::string& key,
                                      const LedgerRange& range) {
  return database_.read("sum up the ledger", [&](schema::Transaction& tx) {
    return sums_of(schema::sum_ledger(tx, question_of(tx, counting, key, range)));
  });
}

std::vector<LedgerSum> LedgerSums::by(const Counting& counting, const std::string& key,
                                      const LedgerRange& range,
                                      std::span<const VersionId> versions) {
  return database_.read("sum up the ledger", [&](schema::Transaction& tx) {
    auto question = question_of(tx, counting, key, range);
    question.versions.emplace(versions.begin(), versions.end());
    return sums_of(schema::sum_ledger(tx, question));
  });
}

std::vector<LedgerSum> LedgerSums::recount(const Counting& counting, const std::string& key,
                                           const LedgerRange& range) {
  return database_.read("recount the ledger", [&](schema::Transaction& tx) {
    schema::allow_long_statements(tx);
    LedgerQuestion question{.scope = scope_of(counting),
                            .key = key,
                            .kept = std::nullopt,
                            .entries = {},
                            .versions = std::nullopt};
    ask_all_entries(question, range, end_of(tx, range));
    return sums_of(schema::sum_ledger(tx, question));
  });
}

std::vector<LedgerDay> LedgerSums::by_day(const Counting& counting,
                                          const LedgerRange& range) {
  return by_day(counting, "", range);
}

std::vector<LedgerDay> LedgerSums::by_day(const Counting& counting, const std::string& key,
                                          const LedgerRange& range) {
  const auto rows = database_.read("sum up days", [&](schema::Transaction& tx) {
    return schema::sum_ledger_by_day(tx, question_of(tx, counting, key, range));
  });
  std::vector<LedgerDay> days;
  days.reserve(rows.size());
  for (const auto& row : rows) {
    days.push_back({.day = row.day,
                    .amount = Amount::parse(row.amount),
                    .weight = row.weight,
                    .value = row.value});
  }
  return days;
}

std::vector<std::string> LedgerSums::links(const Counting& counting,
                                           const LedgerRange& range, std::size_t limit) {
  return database_.read("list evidence", [&](schema::Transaction& tx) {
    return schema::list_ledger_links(tx, question_of(tx, counting, "", range), limit);
  });
}

}  // namespace mendel::registry
