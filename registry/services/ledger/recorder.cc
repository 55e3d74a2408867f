// One transaction makes one batch of events, or of corrections of different events each:
//
//   lock the events that are corrected, in the order of their keys
//   insert the entries, in the order of their keys; those whose keys are taken fall out
//   look up what took the keys: the same content is a duplicate, other content a conflict
//   insert the row of the batch, which makes its entries the chainer's
//
// What a correction changes is the difference between its value and that of the event as it
// was corrected so far, which nobody else changes while the event is locked.

#include "registry/services/ledger/recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "schema/ledger_entries.h"

namespace mendel::registry {

namespace {

using schema::LedgerKey;

Error conflict(const LedgerEntry& entry) {
  return {ErrorCode::already_exists,
          fmt::format("the entry {} of {} in {} is there already, with other content",
                      entry.event_id, entry.kpi, entry.ns)};
}

LedgerKey corrected_key(const ResolvedEntry& correction) {
  LedgerKey key = correction.key;
  key.event_id = correction.entry.corrects;
  return key;
}

int weight_of(const Amount& value) { return value.is_zero() ? 0 : 1; }

std::optional<std::string> text_of(const std::optional<Amount>& amount) {
  if (!amount) return std::nullopt;
  return amount->text();
}

std::optional<std::string> absent_if_empty(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

schema::NewLedgerEntry row_of(const ResolvedEntry& resolved, std::int32_t position) {
  const LedgerEntry& entry = resolved.entry;
  schema::NewLedgerEntry row{.key = resolved.key,
                             .position = position,
                             .occurred_at = entry.occurred_at.value_or(Timestamp()),
                             .version_id = std::nullopt,
                             .value = entry.value.text(),
                             .previous = "0",
                             .weight = weight_of(entry.value),
                             .corrects = absent_if_empty(entry.corrects),
                             .reason = absent_if_empty(entry.reason),
                             .subject = std::nullopt,
                             .evidence = entry.evidence,
                             .cpu_seconds = text_of(entry.cpu_seconds),
                             .gpu_seconds = text_of(entry.gpu_seconds),
                             .energy_kwh = text_of(entry.energy_kwh),
                             .hash = resolved.hash};
  if (resolved.model) row.version_id = resolved.model->version_id;
  if (!entry.subject.empty()) row.subject = nlohmann::json(entry.subject).dump();
  return row;
}

// A digest names the newest version that has it. Sent again after a newer one was
// published, an entry is still the same.
bool is_same_by_digest(schema::Transaction& tx, const ResolvedEntry& sent,
                       const schema::KnownLedgerEntry& known) {
  if (!sent.named_by_digest || !known.version_id) return false;
  const auto model = schema::find_ledger_model_by_id(tx, *known.version_id);
  if (!model || model->digest != sent.model->digest) return false;
  LedgerEntry entry = sent.entry;
  entry.model = numbered_reference(ArtifactName::parse(model->namespace_name, model->name),
                                   model->number);
  return entry.hash() == known.hash;
}

// What became of each entry of a batch.
enum class Fate : std::uint8_t {
  unknown,
  accepted,
  duplicate,
  conflict,
  nothing_to_correct,
  corrects_a_correction
};

class Batch {
 public:
  explicit Batch(std::span<const ResolvedEntry* const> entries)
      : entries_(entries), fates_(entries.size(), Fate::unknown) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      rows_.push_back(row_of(*entries[i], static_cast<std::int32_t>(i)));
    }
  }

  void correct(schema::Transaction& tx);
  void insert(schema::Transaction& tx, const Caller& caller, Timestamp now);
  const std::vector<Fate>& fates() const { return fates_; }

 private:
  void look_up_those_left(schema::Transaction& tx);

  std::span<const ResolvedEntry* const> entries_;
  std::vector<schema::NewLedgerEntry> rows_;  // until they are inserted
  std::vector<Fate> fates_;
};

// No two corrections of a batch have the same target.
void Batch::correct(schema::Transaction& tx) {
  std::map<LedgerKey, std::size_t> correcting;  // by what they correct
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i]->entry.is_correction()) correcting[corrected_key(*entries_[i])] = i;
  }
  if (correcting.empty()) return;
  std::vector<LedgerKey> keys;
  std::vector<std::size_t> indices;
  for (const auto& [key, index] : correcting) {
    keys.push_back(key);
    indices.push_back(index);
    fates_[index] = Fate::nothing_to_correct;
  }

  std::vector<LedgerKey> locked_keys;
  std::vector<std::size_t> locked;
  for (const auto& target : schema::lock_corrected_entries(tx, keys)) {
    const std::size_t index = indices[static_cast<std::size_t>(target.index)];
    if (target.is_correction) {
      fates_[index] = Fate::corrects_a_correction;
      continue;
    }
    fates_[index] = Fate::unknown;
    rows_[index].occurred_at = target.occurred_at;
    rows_[index].version_id = target.version_id;
    rows_[index].subject = target.subject;
    locked_keys.push_back(keys[static_cast<std::size_t>(target.index)]);
    locked.push_back(index);
  }
  const auto values = schema::list_corrected_values(tx, locked_keys);
  for (std::size_t i = 0; i < locked.size(); ++i) {
    const Amount previous = Amount::parse(values.at(i));
    rows_[locked[i]].previous = previous.text();
    rows_[locked[i]].weight =
        weight_of(entries_[locked[i]]->entry.value) - weight_of(previous);
  }
}

void Batch::insert(schema::Transaction& tx, const Caller& caller, Timestamp now) {
  std::vector<schema::NewLedgerEntry> rows;
  for (auto& row : rows_) {
    const auto index = static_cast<std::size_t>(row.position);
    if (fates_[index] == Fate::unknown) rows.push_back(std::move(row));
  }
  if (rows.empty()) return;
  std::ranges::stable_sort(rows, {}, &schema::NewLedgerEntry::key);
  const std::int64_t id = schema::next_kpi_batch(tx);
  auto positions = schema::insert_ledger_entries(tx, id, rows);
  std::ranges::sort(positions);

  std::string hashes;
  for (const std::int32_t position : positions) {
    const auto index = static_cast<std::size_t>(position);
    fates_[index] = Fate::accepted;
    hashes += as_text(entries_[index]->hash.bytes());
  }
  if (!positions.empty()) {
    schema::insert_kpi_batch(tx,
                             {.id = id,
                              .entry_count = static_cast<std::int32_t>(positions.size()),
                              .digest = Digest::of(hashes),
                              .received_at = now,
                              .principal_id = caller.principal.value()});
  }
  look_up_those_left(tx);
}

void Batch::look_up_those_left(schema::Transaction& tx) {
  std::vector<LedgerKey> keys;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < fates_.size(); ++i) {
    if (fates_[i] != Fate::unknown) continue;
    keys.push_back(entries_[i]->key);
    indices.push_back(i);
  }
  if (keys.empty()) return;
  for (const auto& known : schema::find_ledger_entries(tx, keys)) {
    const std::size_t index = indices[static_cast<std::size_t>(known.index)];
    const ResolvedEntry& sent = *entries_[index];
    const bool is_same = known.hash == sent.hash || is_same_by_digest(tx, sent, known);
    fates_[index] = is_same ? Fate::duplicate : Fate::conflict;
  }
}

// What is wrong with one entry; everything else is wrong with the request, or the server.
bool is_fault_of_entry(ErrorCode code) {
  return code == ErrorCode::not_found || code == ErrorCode::permission_denied ||
         code == ErrorCode::unprocessable || code == ErrorCode::invalid_argument;
}

Error refusal_of(Fate fate, const LedgerEntry& entry) {
  if (fate == Fate::conflict) return conflict(entry);
  if (fate == Fate::nothing_to_correct) {
    return {ErrorCode::not_found, fmt::format("{} has no event {} in {} to correct",
                                              entry.kpi, entry.corrects, entry.ns)};
  }
  if (fate == Fate::corrects_a_correction) {
    return {
        ErrorCode::unprocessable,
        fmt::format("{} is a correction itself: correct the event again", entry.corrects)};
  }
  return {ErrorCode::aborted, "the entry came and went while it was being recorded"};
}

}  // namespace

void Recorder::record_batch(const Caller& caller, std::span<const Pending> pending,
                            Outcome& outcome) {
  if (pending.empty()) return;
  std::vector<const ResolvedEntry*> entries;
  for (const Pending& one : pending) entries.push_back(&one.resolved);

  const auto fates = database_.transact("record KPI events", [&](schema::Transaction& tx) {
    Batch batch(entries);
    batch.correct(tx);
    batch.insert(tx, caller, clock_.now());
    return batch.fates();
  });

  std::size_t accepted = 0;
  for (std::size_t i = 0; i < fates.size(); ++i) {
    switch (fates[i]) {
      case Fate::accepted: ++accepted; break;
      case Fate::duplicate: ++outcome.duplicates; break;
      case Fate::unknown:
      case Fate::conflict:
      case Fate::nothing_to_correct:
      case Fate::corrects_a_correction:
        outcome.refusals.push_back(
            {pending[i].index, refusal_of(fates[i], pending[i].resolved.entry)});
    }
  }
  outcome.accepted += accepted;
  if (accepted > 0 && recorded_) recorded_();
}

// In rounds: each has one correction of an event at the most, and sees what the round
// before it made of the event.
void Recorder::record_corrections(const Caller& caller, std::vector<Pending> corrections,
                                  Outcome& outcome) {
  while (!corrections.empty()) {
    std::set<LedgerKey> seen;
    std::vector<Pending> round;
    std::vector<Pending> later;
    for (Pending& correction : corrections) {
      const bool is_first = seen.insert(corrected_key(correction.resolved)).second;
      (is_first ? round : later).push_back(std::move(correction));
    }
    record_batch(caller, round, outcome);
    corrections = std::move(later);
  }
}

Recorder::Outcome Recorder::record(const Caller& caller,
                                   std::span<const SentEntry> entries) {
  Outcome outcome;
  EntryResolver resolver(database_, access_, definitions_, caller, clock_.now());
  std::vector<Pending> events;
  std::vector<Pending> corrections;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    try {
      auto& pending = entries[i].is_correction() ? corrections : events;
      pending.push_back({i, resolver.resolve(entries[i])});
    } catch (const Error& error) {
      if (!is_fault_of_entry(error.code())) throw;
      outcome.refusals.push_back({i, error});
    }
  }
  record_batch(caller, events, outcome);
  record_corrections(caller, std::move(corrections), outcome);
  std::ranges::sort(outcome.refusals, {}, &Refusal::index);
  return outcome;
}

}  // namespace mendel::registry
