#include "registry/services/ledger/report_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "registry/services/ledger/amount_sum.h"
#include "registry/services/ledger/report_count.h"
#include "schema/ledger_chain.h"
#include "schema/ledger_pairs.h"
#include "schema/pedigree.h"
#include "storage/base/error.h"
#include "storage/base/reference.h"

namespace mendel::registry {

namespace {

using Count = KpiDefinition::Count;

Timestamp end_of_day(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  return day + std::chrono::days(1) - std::chrono::microseconds(1);
}

Amount difference(const Amount& now, const Amount& before) {
  AmountSum change;
  change.add(now);
  change.subtract(before);
  return change.total();
}

}  // namespace

void require_report_key(const std::string& by) {
  if (by.empty() || by == "model" || by == "month" || is_subject_key(by)) return;
  throw Error(ErrorCode::invalid_argument,
              "by is model, month, or a subject key: a letter, then letters, digits, '_', "
              "'.' and '-', at most 64 in all");
}

LedgerRange begin_with(const KpiDefinition& definition, LedgerRange range) {
  if (definition.since) range.from = *definition.since;
  return range;
}

Report ReportService::make(const Caller& caller, const Question& question) {
  require_report_key(question.by);
  const Book book = close_book(question.at);
  Report report;
  report.at = book.at;
  report.until = question.until.value_or(end_of_day(book.at));
  report.by = question.by;
  report.chain = book.head;
  if (report.until > end_of_day(clock_.now())) {
    throw Error(ErrorCode::invalid_argument, "until is a day to come");
  }
  const LedgerRange range{.from = std::nullopt,
                          .until = report.until,
                          .at = report.at,
                          .sequence = report.chain.sequence};
  for (const auto& definition : definitions_at(caller, report.at, question.kpis)) {
    report.kpis.push_back(
        count_kpi(caller, definition, begin_with(definition, range), question.by));
  }
  if (question.since_report) {
    compare_with(caller, *question.since_report, report);
  } else {
    compare_with_seal(report);
  }
  return report;
}

LedgerRange ReportService::range_by_now() {
  const Book book = close_book_by_now();
  return {.from = std::nullopt,
          .until = end_of_day(book.at),
          .at = book.at,
          .sequence = book.head.sequence};
}

ReportService::Book ReportService::close_book(std::optional<Timestamp> at) {
  const Timestamp now = clock_.now();
  if (at && *at <= now) return {*at, chainer_.close_book(*at)};
  if (at && *at != end_of_day(now)) {
    throw Error(ErrorCode::invalid_argument, "at is a time to come");
  }
  return close_book_by_now();
}

// By now is by the end of the chain, where that was recorded by a clock ahead of ours. Who
// has just recorded something finds it in the report: where another server has chained it
// at a later time meanwhile, the book is closed once more.
ReportService::Book ReportService::close_book_by_now() {
  constexpr int kTimesMax = 10;
  const auto end_of_chain = [this] {
    return database_
        .read("read the end of the ledger's chain",
              [](auto& tx) { return schema::get_ledger_head(tx); })
        .recorded_at;
  };
  Book book;
  for (int times = 0; times < kTimesMax; ++times) {
    chainer_.chain_some();
    book.at = std::max(clock_.now(), end_of_chain());
    book.head = chainer_.close_book(book.at);
    if (end_of_chain() <= book.at) break;
  }
  return book;
}

std::vector<KpiDefinition> ReportService::definitions_at(
    const Caller& caller, Timestamp at, const std::vector<std::string>& ids) {
  auto definitions = definitions_.list_at(caller, at);
  std::ranges::sort(definitions, {}, &KpiDefinition::id);
  if (ids.empty()) return definitions;

  std::vector<std::string> asked;
  for (const std::string& id : ids) asked.push_back(Name::parse("a KPI", id).folded());
  std::erase_if(definitions, [&](const KpiDefinition& definition) {
    const auto id = Name::parse("a KPI", definition.id).folded();
    const auto found = std::ranges::find(asked, id);
    const bool is_asked = found != asked.end();
    if (is_asked) asked.erase(found);
    return !is_asked;
  });
  if (!asked.empty()) throw Error(ErrorCode::not_found, "no KPI named " + asked.front());
  return definitions;
}

KpiReport ReportService::count_kpi(const Caller& caller, const KpiDefinition& definition,
                                   const LedgerRange& range, const std::string& by) {
  const SumBy sum_by = [&](const std::string& key) {
    return sums_.by(definition.counting, key, range);
  };
  const auto totals = sum_by("");
  KpiReport kpi;
  kpi.definition = definition;
  AmountSum cpu_seconds;
  AmountSum gpu_seconds;
  AmountSum energy_kwh;
  for (const LedgerSum& sum : totals) {
    cpu_seconds.add(sum.cpu_seconds);
    gpu_seconds.add(sum.gpu_seconds);
    energy_kwh.add(sum.energy_kwh);
  }
  kpi.cpu_seconds = cpu_seconds.total();
  kpi.gpu_seconds = gpu_seconds.total();
  kpi.energy_kwh = energy_kwh.total();

  const auto counted = definition.count == Count::distinct
                           ? count(definition, sum_by(definition.distinct_key))
                           : count(definition, totals);
  kpi.value = counted.value;
  kpi.entries = counted.entries;
  const auto days = sums_.by_day(definition.counting, counting_key(definition), range);
  kpi.series = thinned_out(accumulate(definition, days), KpiReport::kPointsMax);
  std::optional<Timestamp> begin;
  if (!kpi.series.empty()) begin = kpi.series.front().day;
  kpi.pace =
      pace_of(definition, kpi.value.to_double(), begin, std::min(range.until, range.at));
  kpi.evidence = sums_.links(definition.counting, range, KpiReport::kLinksMax);
  if (by.empty()) return kpi;

  kpi.parts = by == "month" ? count_months(definition, days)
                            : parts_of(caller, definition, range, by, sum_by);
  if (kpi.parts.size() > KpiReport::kPartsMax) {
    kpi.parts_left_out = kpi.parts.size() - KpiReport::kPartsMax;
    kpi.parts.resize(KpiReport::kPartsMax);
  }
  return kpi;
}

KpiReport ReportService::recount(const Caller& caller, const KpiDefinition& definition,
                                 const LedgerRange& range, const std::string& by) {
  const SumBy sum_by = [&](const std::string& key) {
    return sums_.recount(definition.counting, key, range);
  };
  KpiReport kpi;
  kpi.definition = definition;
  const auto counted = count(definition, sum_by(counting_key(definition)));
  kpi.value = counted.value;
  kpi.entries = counted.entries;
  if (by.empty()) return kpi;
  kpi.parts = by == "month" ? recount_months(definition, range)
                            : parts_of(caller, definition, range, by, sum_by);
  return kpi;
}

std::vector<ReportPart> ReportService::parts_of(const Caller& caller,
                                                const KpiDefinition& definition,
                                                const LedgerRange& range,
                                                const std::string& by,
                                                const SumBy& sum_by) {
  std::vector<ReportPart> parts;
  if (by == "model") {
    const auto sums = sum_by(counting_key(definition));
    const auto names = names_of(caller, sums);
    parts = count_parts(definition, sums,
                        [&](const LedgerSum& sum) { return names.at(sum.version); });
  } else if (definition.count == Count::distinct && by != definition.distinct_key) {
    parts = pairs_of(definition, range, by);
  } else {
    parts =
        count_parts(definition, sum_by(by), [](const LedgerSum& sum) { return sum.value; });
  }
  sort_parts(parts);
  return parts;
}

// Sums are kept by one key, not by two: this one is asked of the entries.
std::vector<ReportPart> ReportService::pairs_of(const KpiDefinition& definition,
                                                const LedgerRange& range,
                                                const std::string& by) {
  const Counting& counting = definition.counting;
  const schema::LedgerPairQuestion question{.scope = {.counting_id = counting.id,
                                                      .kpi_id = counting.kpi_id,
                                                      .namespaces = counting.namespaces,
                                                      .filter = counting.filter},
                                            .part_key = by,
                                            .value_key = definition.distinct_key,
                                            .from = range.from,
                                            .until = range.until,
                                            .sequence = range.sequence};
  const auto pairs = database_.read("sum entries up by two keys", [&](auto& tx) {
    return schema::sum_ledger_pairs(tx, question);
  });
  std::map<std::string, std::vector<LedgerSum>> values;
  for (const auto& pair : pairs) {
    LedgerSum sum;
    sum.value = pair.value;
    sum.weight = pair.weight;
    sum.entries = pair.entries;
    values[pair.part].push_back(std::move(sum));
  }
  std::vector<ReportPart> parts;
  for (const auto& [key, sums] : values) {
    const auto name = [&key](const LedgerSum&) { return key; };
    for (auto& part : count_parts(definition, sums, name)) parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<ReportPart> ReportService::recount_months(const KpiDefinition& definition,
                                                      const LedgerRange& range) {
  std::vector<ReportPart> months;
  const auto days = sums_.by_day(definition.counting, range);
  for (auto day = days.begin(); day != days.end();) {
    const std::string name = month_of(day->day);
    LedgerRange month = range;
    month.from = std::max<Timestamp>(day->day, range.from.value_or(day->day));
    while (day != days.end() && month_of(day->day) == name) {
      month.until = std::min(range.until, end_of_day(day->day));
      ++day;
    }
    const auto sums = sums_.recount(definition.counting, counting_key(definition), month);
    const auto key_of = [&name](const LedgerSum&) { return name; };
    for (auto& part : count_parts(definition, sums, key_of)) {
      months.push_back(std::move(part));
    }
  }
  return months;
}

void ReportService::compare_with_seal(Report& report) {
  const auto previous = seals_.find_before(report);
  if (!previous) return;
  report.previous = previous->report;
  for (KpiReport& kpi : report.kpis) {
    const auto before = previous->values.find(kpi.definition.counting.kpi_id);
    if (before != previous->values.end()) {
      kpi.change = difference(kpi.value, before->second);
    }
  }
}

void ReportService::compare_with(const Caller& caller, Timestamp since, Report& report) {
  if (since >= report.at) {
    throw Error(ErrorCode::invalid_argument, "since_report is not before the report");
  }
  const LedgerRange range{.from = std::nullopt,
                          .until = since,
                          .at = since,
                          .sequence = chainer_.close_book(since).sequence};
  report.previous = PreviousReport{.at = since, .until = since, .digest = std::nullopt};
  for (const auto& definition : definitions_.list_at(caller, since)) {
    const auto kpi = std::ranges::find(
        report.kpis, definition.counting.kpi_id,
        [](const KpiReport& kpi) { return kpi.definition.counting.kpi_id; });
    if (kpi == report.kpis.end()) continue;
    const auto sums = sums_.by(definition.counting, counting_key(definition),
                               begin_with(definition, range));
    kpi->change = difference(kpi->value, count(definition, sums).value);
  }
}

std::map<VersionId, std::string> ReportService::names_of(
    const Caller& caller, const std::vector<LedgerSum>& sums) {
  std::map<VersionId, std::string> names;
  for (const LedgerSum& sum : sums) names.try_emplace(sum.version);
  std::vector<VersionId> versions;
  for (const auto& [version, name] : names) {
    if (version != 0) versions.push_back(version);
  }
  const auto nodes = database_.read("name versions", [&](schema::Transaction& tx) {
    return schema::find_nodes(tx, versions);
  });
  for (const VersionId version : versions) names[version] = kHiddenVersion;
  std::map<std::string, bool> readable;  // namespaces
  for (const auto& node : nodes) {
    const auto [known, is_new] = readable.try_emplace(node.version.namespace_name, false);
    if (is_new) {
      const Name ns = Name::parse("a namespace", node.version.namespace_name);
      known->second = may_read(caller, access_.standing(caller, ns));
    }
    if (known->second) names[node.version.id] = node.version.reference();
  }
  return names;
}

}  // namespace mendel::registry
