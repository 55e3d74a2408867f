#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "registry/services/ledger/chainer.h"
#include "registry/services/ledger/definition.h"
#include "registry/services/ledger/roll_up.h"
#include "registry/services/ledger/sums.h"
#include "schema/ledger_chain.h"
#include "tests/registry/ledger_fixture.h"
#include "tests/testing/wait.h"

namespace mendel::registry {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Subject = std::map<std::string, std::string>;

// What the sums are compared with: rows, and whole numbers that are added up here.
struct Recorded {
  LedgerRow row;
  Subject subject;
  std::int64_t sequence = 0;
  Timestamp recorded_at;
};

struct Total {
  std::int64_t amount = 0;
  std::int64_t weight = 0;
  std::int64_t entries = 0;
  std::int64_t cpu_seconds = 0;

  friend bool operator==(const Total&, const Total&) = default;
};
std::ostream& operator<<(std::ostream& out, const Total& total) {
  return out << total.amount << "/" << total.weight << "/" << total.entries << "/"
             << total.cpu_seconds;
}
using Totals = std::map<std::pair<std::string, std::int64_t>, Total>;

std::string value_of(const Subject& subject, const std::string& key) {
  const auto found = subject.find(key);
  return found == subject.end() ? "" : found->second;
}

bool counts(const Counting& counting, const LedgerRange& range, const Recorded& entry) {
  if (entry.row.kpi_id != counting.kpi_id) return false;
  const auto& namespaces = counting.namespaces;
  if (!namespaces.empty() &&
      std::ranges::find(namespaces, entry.row.namespace_id) == namespaces.end()) {
    return false;
  }
  for (const auto& [key, values] : counting.filter) {
    if (std::ranges::find(values, value_of(entry.subject, key)) == values.end())
      return false;
  }
  return entry.recorded_at <= range.at && entry.sequence <= range.sequence &&
         entry.row.occurred_at <= range.until &&
         (!range.from || entry.row.occurred_at >= *range.from);
}

class LedgerSumsTest : public LedgerTest {
 protected:
  void clear() {
    ledger.clear();
    tell(R"sql(
      truncate kpi_entry, kpi_batch, kpi cascade;
      alter sequence kpi_batch_id restart;
      update kpi_head set sequence = 0, entry_count = 0, recorded_at = '1970-01-01',
                          hash = decode(repeat('00', 32), 'hex');
      insert into kpi (id, name, revision, created_at) overriding system value
      values (1, 'KPI1', 1, '2024-01-01'), (2, 'KPI2', 1, '2024-01-01'))sql");
  }

  Counting make_counting(std::int64_t kpi_id, std::vector<std::string> keys) {
    Counting counting;
    counting.kpi_id = kpi_id;
    counting.keys = std::move(keys);
    return make_counting(counting);
  }

  Counting make_counting(Counting counting) {
    counting.id = testing::insert_counting(database(), counting.kpi_id, counting.rule());
    return counting;
  }

  void commit(std::vector<Recorded> batch) {
    std::vector<LedgerRow> rows;
    for (Recorded& entry : batch) {
      entry.row.subject = nlohmann::json(entry.subject).dump();
      rows.push_back(entry.row);
      ledger.push_back(entry);
      ledger.back().sequence = next_sequence();
    }
    commit_batch(rows);
    ++batches;
  }
  std::int64_t next_sequence() const { return batches + 1; }

  // Tells the model when its entries were recorded; those that are not chained never were.
  void chain() {
    chainer.chain_some();
    std::map<std::int64_t, Timestamp> times;
    const auto chained = database().read("list the chain", [](schema::Transaction& tx) {
      return schema::list_chained_batches(tx, 0, 100'000);
    });
    for (const auto& batch : chained) times[batch.sequence] = batch.recorded_at;
    for (Recorded& entry : ledger) {
      const auto time = times.find(entry.sequence);
      entry.recorded_at = time == times.end() ? Timestamp::max() : time->second;
    }
  }

  Totals totals(const Counting& counting, const std::string& key,
                const LedgerRange& range) const {
    Totals totals;
    for (const Recorded& entry : ledger) {
      if (!counts(counting, range, entry)) continue;
      Total& total = totals[{value_of(entry.subject, key), entry.row.version_id}];
      total.amount += entry.row.amount;
      total.weight += entry.row.weight;
      ++total.entries;
      if (key.empty()) total.cpu_seconds += entry.row.cpu_seconds;
    }
    return totals;
  }

  static Totals totals(const std::vector<LedgerSum>& sums) {
    Totals totals;
    for (const LedgerSum& sum : sums) {
      totals[{sum.value, sum.version}] = {std::stoll(sum.amount.text()), sum.weight,
                                          sum.entries, std::stoll(sum.cpu_seconds.text())};
    }
    return totals;
  }

  LedgerRange everything() {
    return {.from = std::nullopt,
            .until = clock.now(),
            .at = clock.now(),
            .sequence = chainer.head().sequence};
  }

  std::vector<Recorded> ledger;
  std::int64_t batches = 0;
  Chainer chainer{database(), clock};
  RollUp roll_up{database()};
  LedgerSums sums{database()};
};

// --- Sums are what entries sum up to ----------------------------------------------------

const std::vector<std::string> kKeys{"", "experiment", "site", "decay"};
const Timestamp kBegin = parse_rfc3339("2024-02-01T00:00:00Z");
constexpr int kDays = 5;

// Often at the border of a day.
Timestamp random_time() {
  const auto day = kBegin + days(*rc::gen::inRange(0, kDays));
  return day + *rc::gen::element<std::chrono::microseconds>(
                   0us, 1us, 1h, 12h, 23h + 59min, 24h - 1us,
                   std::chrono::seconds(*rc::gen::inRange(0, 86400)));
}

Subject random_subject() {
  Subject subject;
  for (const auto* key : {"experiment", "site", "decay"}) {
    const int value = *rc::gen::inRange(0, 4);
    if (value > 0) subject[key] = std::string(1, static_cast<char>('A' + value));
  }
  return subject;
}

class RandomLedger : public LedgerSumsTest {
 protected:
  Recorded random_event() {
    const std::int64_t value = *rc::gen::inRange(0, 5);
    Recorded event;
    event.row = {.kpi_id = *rc::gen::inRange(1, 3),
                 .namespace_id = *rc::gen::inRange(1, 4),
                 .event_id = "event " + std::to_string(++events),
                 .occurred_at = random_time(),
                 .version_id = *rc::gen::inRange(0, 3),
                 .value = value,
                 .amount = value,
                 .weight = value == 0 ? 0 : 1,
                 .cpu_seconds = *rc::gen::inRange(0, 3)};
    event.subject = random_subject();
    values[event.row.event_id] = value;
    return event;
  }

  // Of an event that is committed.
  Recorded random_correction() {
    std::vector<Recorded> targets;
    std::ranges::copy_if(ledger, std::back_inserter(targets),
                         [](const Recorded& entry) { return !entry.row.corrects; });
    Recorded correction = *rc::gen::elementOf(targets);
    std::int64_t& value = values[correction.row.event_id];
    LedgerRow& row = correction.row;
    row.corrects = row.event_id;
    row.event_id = "correction " + std::to_string(++events);
    row.value = *rc::gen::inRange(0, 3);
    row.amount = row.value - value;
    row.weight = static_cast<int>(row.value != 0) - static_cast<int>(value != 0);
    row.cpu_seconds = 0;
    value = row.value;
    return correction;
  }

  void random_batch() {
    std::vector<Recorded> batch;
    const int size = *rc::gen::inRange(1, 6);
    for (int entry = 0; entry < size; ++entry) {
      const bool corrects = !ledger.empty() && *rc::gen::inRange(0, 3) == 0;
      batch.push_back(corrects ? random_correction() : random_event());
    }
    commit(batch);
  }

  LedgerRange random_range() {
    const std::int64_t end = chainer.head().sequence;
    const bool is_whole = *rc::gen::arbitrary<bool>();
    LedgerRange range{
        .from = std::nullopt, .until = random_time(), .at = clock.now(), .sequence = end};
    if (is_whole) range.until = std::chrono::ceil<days>(range.until) - 1us;
    if (*rc::gen::arbitrary<bool>()) {
      range.from = random_time();
      if (is_whole) range.from = std::chrono::floor<days>(*range.from);
    }
    if (!ledger.empty() && *rc::gen::inRange(0, 3) > 0) {
      const Timestamp at = (*rc::gen::elementOf(ledger)).recorded_at;
      if (at < Timestamp::max()) {
        range.at = *rc::gen::element(at, at - 1us, at + 1us,
                                     Timestamp(std::chrono::ceil<days>(at)) - 1us);
      }
    }
    if (*rc::gen::inRange(0, 4) == 0)
      range.sequence = *rc::gen::inRange<std::int64_t>(0, end + 1);
    return range;
  }

  void expect_exact(const Counting& counting) {
    const LedgerRange range = random_range();
    for (const std::string& key : kKeys) {
      const Totals expected = totals(counting, key, range);
      RC_ASSERT(totals(sums.by(counting, key, range)) == expected);
      RC_ASSERT(totals(sums.recount(counting, key, range)) == expected);

      Totals of_versions;
      for (const auto& [place, total] : expected) {
        if (place.second != 1) of_versions[place] = total;
      }
      RC_ASSERT(totals(sums.by(counting, key, range, std::vector<VersionId>{0, 2})) ==
                of_versions);

      std::map<std::tuple<std::string, Timestamp>, Total> by_day;
      for (const Recorded& entry : ledger) {
        if (!counts(counting, range, entry)) continue;
        Total& day = by_day[{value_of(entry.subject, key),
                             std::chrono::floor<days>(entry.row.occurred_at)}];
        day.amount += entry.row.amount;
        day.weight += entry.row.weight;
      }
      const auto listed = sums.by_day(counting, key, range);
      RC_ASSERT(listed.size() == by_day.size());
      for (const LedgerDay& day : listed) {
        const Total total = by_day[{day.value, Timestamp(day.day)}];
        RC_ASSERT(day.amount.text() == std::to_string(total.amount));
        RC_ASSERT(day.weight == total.weight);
      }
    }
  }

  void start_over() {
    clear();
    values.clear();
    events = 0;
    batches = 0;
  }

  std::map<std::string, std::int64_t> values;  // of events, as corrected
  int events = 0;
};

// Goal: whatever was recorded, corrected, late, rolled up in part or counted by a rule that
// was made later, three ways to sum up give the same.
TEST_F(RandomLedger, IsSummedUpToTheLastDigit) {
  rc::check("sums by day, a recount and a sum of ours are the same", [this] {
    start_over();
    std::vector<Counting> countings{
        make_counting(1, {"experiment", "site"}),
        make_counting({.kpi_id = 1,
                       .namespaces = {1, 3},
                       .filter = {{"experiment", {"B", "D"}}, {"decay", {"B", "C"}}},
                       .keys = {"site"}})};
    const int rounds = *rc::gen::inRange(1, 12);
    for (int round = 0; round < rounds; ++round) {
      clock.advance(*rc::gen::element<std::chrono::microseconds>(0us, 1h, 11h, 30h));
      random_batch();
      if (*rc::gen::inRange(0, 3) > 0) chain();
      const auto& counting = *rc::gen::elementOf(countings);
      if (*rc::gen::arbitrary<bool>())
        roll_up.roll_up_some(counting.id, *rc::gen::inRange(1, 20));
      if (round == 4) {
        countings.push_back(make_counting(2, {"experiment", "decay"}));
        countings.push_back(make_counting(1, {"decay"}));
      }
    }
    chain();
    for (int question = 0; question < 3; ++question) {
      for (const Counting& counting : countings) expect_exact(counting);
      if (question == 1) roll_up.roll_up();
    }
  });
}

// --- What is kept -----------------------------------------------------------------------

class RolledUp : public LedgerSumsTest {
 protected:
  RolledUp() {
    clear();
    counting = make_counting(1, {"site"});
  }

  Recorded event(const std::string& id, Timestamp occurred_at,
                 const std::string& evidence) {
    Recorded event;
    event.row = {.event_id = id, .occurred_at = occurred_at, .evidence = evidence};
    return event;
  }
  Recorded withdrawal(const Recorded& of, const std::string& id) {
    Recorded withdrawal = of;
    withdrawal.row.corrects = of.row.event_id;
    withdrawal.row.event_id = id;
    withdrawal.row.value = 0;
    withdrawal.row.amount = -1;
    withdrawal.row.weight = -1;
    withdrawal.row.evidence = "{https://why.example}";
    return withdrawal;
  }

  Counting counting;
};

TEST_F(RolledUp, WhenAllIsSummedUpNoEntryIsRead) {
  commit({event("a", kBegin, "{}"), event("b", kBegin + days(1), "{}")});
  chain();
  roll_up.roll_up();
  tell("truncate kpi_entry");
  auto range = everything();
  range.until = kBegin + days(10) - 1us;
  const auto all = sums.by(counting, "", range);
  ASSERT_EQ(all.size(), 1);
  EXPECT_EQ(all[0].amount.text(), "2");
  EXPECT_EQ(all[0].entries, 2);
  EXPECT_THAT(sums.recount(counting, "", range), IsEmpty());
}

TEST_F(RolledUp, TheThreadSumsUp) {
  commit({event("a", kBegin, "{}")});
  chain();
  roll_up.start();
  EXPECT_TRUE(
      testing::eventually([&] { return ask("select count(*) from kpi_sum") == 2; }));
  roll_up.stop();
}

// Goal: an entry is in the sums once, however many servers sum up.
TEST_F(RolledUp, ByManyServersAtOnce) {
  for (int batch = 0; batch < 40; ++batch)
    commit({event(std::to_string(batch), kBegin + days(batch % 3), "{}")});
  chain();
  {
    std::vector<std::jthread> servers;
    for (int server = 0; server < 4; ++server) {
      servers.emplace_back([&] {
        RollUp other(database());
        for (int i = 0; i < 20; ++i) other.roll_up_some(counting.id, 3);
      });
    }
  }
  roll_up.roll_up();
  EXPECT_EQ(ask("select sum(entries) from kpi_sum where key = ''"), 40);
  EXPECT_EQ(ask("select rolled_up_to from kpi_counting"), 40);
}

TEST_F(RolledUp, LinksAreThoseOfEventsThatCount) {
  const auto a = event("a", kBegin, "{https://a.example,https://both.example}");
  const auto b = event("b", kBegin + days(1), "{https://b.example,https://both.example}");
  commit({a});
  commit({b});
  chain();
  const auto before = everything();
  clock.advance(24h);
  commit({withdrawal(b, "fix")});
  chain();
  // Neither rolled up, in part, and in whole.
  for (int round = 0; round < 4; ++round) {
    SCOPED_TRACE(round);
    EXPECT_THAT(
        sums.links(counting, before, 10),
        ElementsAre("https://b.example", "https://both.example", "https://a.example"));
    EXPECT_THAT(sums.links(counting, everything(), 10),
                ElementsAre("https://a.example", "https://both.example"));
    roll_up.roll_up_some(counting.id, 1);
  }
  EXPECT_THAT(sums.links(counting, before, 1), ElementsAre("https://b.example"));
  EXPECT_EQ(ask("select rolled_up_to from kpi_counting"), 3);
}

TEST_F(RolledUp, ADayKeepsNoMoreThanAHundredLinks) {
  for (int first = 0; first < 150; first += 75) {
    std::string links;
    for (int i = first; i < first + 75; ++i)
      links += (links.empty() ? "{" : ",") + ("https://example.org/" + std::to_string(i));
    commit({event(std::to_string(first), kBegin, links + "}")});
    chain();
    roll_up.roll_up();
  }
  EXPECT_EQ(ask("select count(*) from kpi_link"), 100);
  // What is known goes on to be counted.
  commit({event("again", kBegin, "{https://example.org/1,https://example.org/149}")});
  chain();
  roll_up.roll_up();
  EXPECT_EQ(ask("select count(*) from kpi_link"), 100);
  EXPECT_EQ(ask("select sum(weight) from kpi_link"), 101);
}

}  // namespace
}  // namespace mendel::registry
