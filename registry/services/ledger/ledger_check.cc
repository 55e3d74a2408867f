// The chain is walked once, a few thousand entries at a time, and its anchors beside it.
// Each row is judged by what it says itself, so that one that was altered is told of once:
// the hash of an entry by its columns, a batch by the hashes of its entries, a link of the
// chain by the hash of the one before it, as they are stored. Corrections and sums are
// compared by PostgreSQL.

#include "registry/services/ledger/ledger_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/services/ledger/amount.h"
#include "registry/services/ledger/chain_hash.h"
#include "registry/services/ledger/definition.h"
#include "registry/services/ledger/entry.h"
#include "registry/services/ledger/scope.h"
#include "schema/ledger_chain.h"
#include "schema/ledger_check.h"
#include "schema/ledger_sums.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "storage/base/sha256.h"
#include "storage/object_keys.h"

namespace mendel::registry {

namespace {

constexpr std::int64_t kEntriesAtOnce = 5000;
constexpr std::size_t kAnchorsAtOnce = 1000;
constexpr std::int64_t kBatchesAtOnce = 100'000;  // more than one piece of the chain has

// While batches come, the head is met where it was a moment ago.
constexpr int kWalksMax = 100;

class Problems {
 public:
  void add(std::string problem) {
    ++count_;
    if (problems_.size() < LedgerCheck::kProblemsMax)
      problems_.push_back(std::move(problem));
  }
  std::vector<std::string> take() && {
    if (count_ > problems_.size())
      problems_.push_back(fmt::format("and {} more", count_ - problems_.size()));
    return std::move(problems_);
  }

 private:
  std::vector<std::string> problems_;
  std::size_t count_ = 0;
};

// The anchors in the order of the chain, a page at a time.
class AnchorWalk {
 public:
  explicit AnchorWalk(Anchors& anchors) : anchors_(anchors) {}

  // The next one whose sequence is not above; nullopt: there is none.
  std::optional<storage::AnchorName> next_until(std::int64_t sequence) {
    if (at_ == page_.size() && !is_over_) turn_page();
    if (at_ == page_.size() || page_[at_].sequence > sequence) return std::nullopt;
    return page_[at_++];
  }

 private:
  void turn_page() {
    const std::string after = page_.empty() ? "" : storage::anchor_key(page_.back());
    page_ = anchors_.list(after, kAnchorsAtOnce);
    is_over_ = page_.size() < kAnchorsAtOnce;
    at_ = 0;
  }

  Anchors& anchors_;
  std::vector<storage::AnchorName> page_;
  std::size_t at_ = 0;
  bool is_over_ = false;
};

std::optional<Amount> amount_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return Amount::parse(*text);
}

LedgerEntry entry_of(const schema::SpelledEntryRow& row) {
  LedgerEntry entry;
  entry.kpi = row.kpi;
  entry.ns = row.ns;
  entry.event_id = row.event_id;
  entry.value = Amount::parse(row.value);
  entry.evidence = nlohmann::json::parse(row.evidence).get<std::vector<std::string>>();
  entry.corrects = row.corrects;
  entry.reason = row.reason;
  if (entry.is_correction()) return entry;
  entry.occurred_at = row.occurred_at;
  entry.model = row.model;
  entry.subject =
      nlohmann::json::parse(row.subject).get<std::map<std::string, std::string>>();
  entry.cpu_seconds = amount_of(row.cpu_seconds);
  entry.gpu_seconds = amount_of(row.gpu_seconds);
  entry.energy_kwh = amount_of(row.energy_kwh);
  return entry;
}

class Check {
 public:
  Check(schema::Database& database, Anchors& anchors)
      : database_(database), anchors_(anchors) {}

  LedgerCheckReport run() {
    walk_chain();
    End end = read_end();
    for (int walk = 0; end.is_ahead && walk < kWalksMax; ++walk) {
      walk_chain();
      end = read_end();
    }
    if (!end.is_ahead) check_head(end.head);
    check_anchors_beyond();
    check_corrections();
    check_sums();
    return {.batches = batches_,
            .entries = entries_,
            .head = last_,
            .problems = std::move(problems_).take()};
  }

 private:
  struct Piece {
    std::vector<schema::ChainedBatchRow> batches;
    std::vector<schema::SpelledEntryRow> entries;
  };

  // --- The chain ------------------------------------------------------------------------

  void walk_chain() {
    for (Piece piece = read_piece(); !piece.batches.empty(); piece = read_piece()) {
      auto rest = std::span<const schema::SpelledEntryRow>(piece.entries);
      for (const auto& batch : piece.batches) {
        const auto end = std::ranges::find_if(
            rest, [&](const auto& entry) { return entry.batch_id != batch.id; });
        const auto count = static_cast<std::size_t>(end - rest.begin());
        check_batch(batch, rest.first(count));
        rest = rest.subspan(count);
      }
    }
  }

  // What follows after the last batch. Chained rows do not change, so that pieces need not
  // be of one snapshot.
  Piece read_piece() {
    return database_.read("read the ledger", [&](schema::Transaction& tx) {
      const auto end = schema::find_end_of_batches(tx, last_.sequence, kEntriesAtOnce);
      if (!end) return Piece();
      Piece piece;
      piece.batches = schema::list_chained_batches(tx, last_.sequence, kBatchesAtOnce);
      std::erase_if(piece.batches,
                    [&](const auto& batch) { return batch.sequence > *end; });
      piece.entries =
          schema::list_spelled_entries(tx, {.after = last_.sequence, .last = *end});
      return piece;
    });
  }

  void check_batch(const schema::ChainedBatchRow& batch,
                   std::span<const schema::SpelledEntryRow> entries) {
    check_link(batch);
    check_content(batch, entries);
    ++batches_;
    entries_ += static_cast<std::int64_t>(entries.size());
    last_ = {.sequence = batch.sequence,
             .entry_count = batch.entries_through,
             .recorded_at = batch.recorded_at,
             .hash = batch.hash};
    check_anchors();
  }

  void check_link(const schema::ChainedBatchRow& batch) {
    if (batch.sequence != last_.sequence + 1) {
      problems_.add(batch.sequence == last_.sequence + 2
                        ? fmt::format("batch {} is missing", last_.sequence + 1)
                        : fmt::format("batches {} to {} are missing", last_.sequence + 1,
                                      batch.sequence - 1));
      return;  // what it follows is not known
    }
    const Digest hash = hash_of({.previous = last_.hash,
                                 .sequence = batch.sequence,
                                 .recorded_at = batch.recorded_at,
                                 .entry_count = batch.entry_count,
                                 .digest = batch.digest});
    if (batch.hash != hash) {
      problems_.add(fmt::format(
          "batch {}: its hash is not that of its row and of the batch before it",
          batch.sequence));
    }
    if (batch.recorded_at < last_.recorded_at) {
      problems_.add(fmt::format("batch {}: it was recorded before the batch before it",
                                batch.sequence));
    }
    if (batch.entries_through != last_.entry_count + batch.entry_count) {
      problems_.add(
          fmt::format("batch {}: the number of entries up to it is wrong", batch.sequence));
    }
  }

  void check_content(const schema::ChainedBatchRow& batch,
                     std::span<const schema::SpelledEntryRow> entries) {
    Sha256 digest;
    for (const auto& entry : entries) {
      digest.update(entry.hash.bytes());
      check_entry(batch, entry);
    }
    if (std::cmp_not_equal(entries.size(), batch.entry_count)) {
      problems_.add(fmt::format("batch {}: it has {} entries instead of {}", batch.sequence,
                                entries.size(), batch.entry_count));
    } else if (digest.finish() != batch.digest) {
      problems_.add(fmt::format(
          "batch {}: its entries are not those that were recorded, or in another order",
          batch.sequence));
    }
  }

  void check_entry(const schema::ChainedBatchRow& batch,
                   const schema::SpelledEntryRow& row) {
    try {
      const LedgerEntry entry = entry_of(row);
      if (entry.hash() != row.hash) add_problem(batch, row, "it is not what was recorded");
      if (entry.is_correction()) return;
      if (Amount::parse(row.amount) != entry.value ||
          row.weight != (entry.value.is_zero() ? 0 : 1)) {
        add_problem(batch, row, "it does not count as its value says");
      }
    } catch (const Error& error) {
      add_problem(batch, row, error.what());
    } catch (const nlohmann::json::exception&) {
      add_problem(batch, row, "it is not what was recorded");
    }
  }

  void add_problem(const schema::ChainedBatchRow& batch, const schema::SpelledEntryRow& row,
                   std::string_view what) {
    problems_.add(fmt::format("KPI {}, event {} of {}, batch {}: {}", row.kpi, row.event_id,
                              row.ns, batch.sequence, what));
  }

  // --- Anchors and the end --------------------------------------------------------------

  void check_anchors() {
    while (const auto anchor = anchors_.next_until(last_.sequence)) {
      if (*anchor == storage::AnchorName{last_.sequence, last_.hash}) continue;
      problems_.add(
          fmt::format("batch {}: the object store has an anchor of it with "
                      "another hash, {}",
                      anchor->sequence, anchor->hash.to_string()));
    }
  }

  // The end of the chain, and whether batches came after those that were walked.
  struct End {
    schema::LedgerHeadRow head;
    bool is_ahead = false;
  };
  End read_end() {
    return database_.read("read the end of the chain", [&](schema::Transaction& tx) {
      return End{.head = schema::get_ledger_head(tx),
                 .is_ahead = !schema::list_chained_batches(tx, last_.sequence, 1).empty()};
    });
  }

  void check_head(const schema::LedgerHeadRow& head) {
    if (head.sequence == last_.sequence && head.hash == last_.hash &&
        head.entry_count == last_.entry_count && head.recorded_at >= last_.recorded_at) {
      return;
    }
    problems_.add(
        fmt::format("the head of the chain, at batch {} with {} entries, is not "
                    "its last batch, {} with {}",
                    head.sequence, head.entry_count, last_.sequence, last_.entry_count));
  }

  // One that was written while the chain was walked is not beyond its end as it is now.
  void check_anchors_beyond() {
    while (const auto anchor = anchors_.next_until(INT64_MAX)) {
      const std::int64_t end = read_end().head.sequence;
      if (anchor->sequence <= end) continue;
      problems_.add(
          fmt::format("batches were cut off: the object store has an anchor of "
                      "batch {}, and the chain ends with batch {}",
                      anchor->sequence, end));
    }
  }

  // --- What PostgreSQL compares ---------------------------------------------------------

  void add_places(const std::vector<schema::EntryPlaceRow>& places, std::string_view what) {
    for (const auto& place : places) {
      problems_.add(fmt::format("KPI {}, event {} of {}, batch {}: {}", place.kpi,
                                place.event_id, place.ns, place.sequence, what));
    }
  }

  void check_corrections() {
    constexpr auto kMax = static_cast<std::int64_t>(LedgerCheck::kProblemsMax);
    database_.read("check corrections", [&](schema::Transaction& tx) {
      schema::allow_long_statements(tx);
      add_places(schema::list_entries_without_batch(tx, kMax), "its batch is missing");
      add_places(schema::list_stray_corrections(tx, kMax),
                 "it is not a correction of an event of that time, model and subject");
      add_places(schema::list_wrong_corrections(tx, kMax),
                 "after this correction its event does not count as the value says");
    });
  }

  void check_sums() {
    const auto countings = database_.read("list countings", [](schema::Transaction& tx) {
      return schema::list_countings(tx);
    });
    for (const auto& row : countings) check_sums_of(row.id);
  }

  // Sums, and how far they go, in one snapshot.
  void check_sums_of(std::int64_t counting_id) {
    constexpr std::int64_t kMax = 20;  // of each counting
    database_.read("check sums", [&](schema::Transaction& tx) {
      schema::allow_long_statements(tx);
      const auto rows = schema::list_countings(tx);
      const auto row = std::ranges::find(rows, counting_id, &schema::CountingRow::id);
      if (row == rows.end()) return;
      const auto counting = Counting::parse(row->id, row->kpi_id, row->rule);
      const auto scope = scope_of(counting);
      const auto kpi = schema::find_kpi_name(tx, row->kpi_id);
      for (const auto& sum :
           schema::list_wrong_sums(tx, scope, counting.keys, row->rolled_up_to, kMax)) {
        problems_.add(fmt::format(
            "KPI {}: the sum of {}{} is not that of its entries", kpi, sum.occurred_on,
            sum.key.empty() ? "" : " by " + sum.key + " " + sum.value));
      }
      for (const auto& link :
           schema::list_wrong_links(tx, scope, row->rolled_up_to, kMax)) {
        problems_.add(
            fmt::format("KPI {}: evidence is not that of its entries, {}", kpi, link));
      }
    });
  }

  schema::Database& database_;
  AnchorWalk anchors_;
  Problems problems_;
  std::int64_t batches_ = 0;
  std::int64_t entries_ = 0;
  ChainHead last_;  // of the walk
};

}  // namespace

LedgerCheckReport LedgerCheck::run() { return Check(database_, anchors_).run(); }

}  // namespace mendel::registry
