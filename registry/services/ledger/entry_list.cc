#include "registry/services/ledger/entry_list.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "registry/services/namespace_rows.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

using nlohmann::json;

std::optional<Amount> amount_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return Amount::parse(*text);
}

struct Place {
  std::int64_t sequence = 0;
  std::int32_t position = 0;
};

// "<sequence>.<position>".
Place place_after(const PageRequest& page) {
  Place place;
  if (!page.after) return place;
  const char* const end = page.after->data() + page.after->size();
  const auto [dot, status] = std::from_chars(page.after->data(), end, place.sequence);
  if (status == std::errc() && dot != end && *dot == '.') {
    const auto [last, rest] = std::from_chars(dot + 1, end, place.position);
    if (rest == std::errc() && last == end && place.sequence > 0 && place.position >= 0) {
      return place;
    }
  }
  throw Error(ErrorCode::invalid_argument, "after takes what 'next' said, unchanged");
}

LedgerEntries::Item item_of(const schema::LedgerEntryRow& row) {
  return {.sequence = row.sequence,
          .position = row.position,
          .recorded_at = row.recorded_at,
          .hash = row.hash,
          .principal = row.principal,
          .entry = ledger_entry_of(row)};
}

}  // namespace

LedgerEntry ledger_entry_of(const schema::LedgerEntryRow& row) {
  LedgerEntry entry{.kpi = row.kpi,
                    .ns = row.ns,
                    .event_id = row.event_id,
                    .value = Amount::parse(row.value),
                    .evidence = {},
                    .occurred_at = std::nullopt,
                    .model = "",
                    .subject = {},
                    .cpu_seconds = amount_of(row.cpu_seconds),
                    .gpu_seconds = amount_of(row.gpu_seconds),
                    .energy_kwh = amount_of(row.energy_kwh),
                    .corrects = row.corrects.value_or(""),
                    .reason = row.reason.value_or("")};
  if (row.evidence) json::parse(*row.evidence).get_to(entry.evidence);
  if (entry.is_correction()) return entry;
  entry.occurred_at = row.occurred_at;
  if (row.subject) json::parse(*row.subject).get_to(entry.subject);
  if (row.model_number) {
    entry.model = numbered_reference(
        ArtifactName::parse(row.model_namespace.value_or(""), row.model_name.value_or("")),
        *row.model_number);
  }
  return entry;
}

Page<LedgerEntries::Item> LedgerEntries::list(const Caller& caller,
                                              const Question& question,
                                              const PageRequest& page) {
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  const Place after = place_after(page);
  schema::LedgerEntryFilter filter{.kpi_ids = {},
                                   .folded_namespace = std::nullopt,
                                   .after_sequence = after.sequence,
                                   .after_position = after.position,
                                   .limit = static_cast<std::int64_t>(page.limit) + 1};
  if (question.ns) filter.folded_namespace = question.ns->folded();
  if (question.kpi) {
    filter.kpi_ids.push_back(definitions_.get(caller, *question.kpi).counting.kpi_id);
  } else {
    for (const auto& kpi : definitions_.list(caller, {.limit = kAll, .after = {}}).items) {
      filter.kpi_ids.push_back(kpi.counting.kpi_id);
    }
  }
  auto rows = database_.read("list KPI events", [&](schema::Transaction& tx) {
    return schema::list_ledger_entries(tx, viewer_for(caller), filter);
  });

  auto items = page_of<Item>(std::move(rows), page, item_of, [](const auto& last) {
    return fmt::format("{}.{}", last.sequence, last.position);
  });
  for (Item& item : items.items) {
    if (item.entry.model.empty()) continue;
    const auto ref = Reference::parse(item.entry.model);
    if (!may_read(caller, access_.standing(caller, ref.artifact.ns()))) {
      item.entry.model.clear();
    }
  }
  return items;
}

}  // namespace mendel::registry
