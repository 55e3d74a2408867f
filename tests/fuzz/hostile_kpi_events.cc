#include "tests/fuzz/hostile_kpi_events.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "registry/api/content_decoding.h"
#include "registry/api/json.h"
#include "registry/api/kpi_event_body.h"
#include "registry/services/ledger/entry.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "storage/canonical_json.h"

namespace mendel::testing {

namespace {

using registry::SentEntry;
using registry::api::KpiEventRow;

constexpr std::size_t kPieceSize = 61;

void require(bool promise) {
  if (!promise) std::abort();
}

template <class Take>
void in_pieces(std::span<const std::byte> input, Take take) {
  while (!input.empty()) {
    const auto piece = input.first(std::min(input.size(), kPieceSize));
    take(piece);
    input = input.subspan(piece.size());
  }
}

// Whether canonical JSON has it as a whole number that is not read back as one.
bool is_beyond_whole_numbers(const std::optional<registry::Amount>& amount) {
  return amount && std::abs(amount->to_double()) > 0x1p53;
}

// What is taken into the ledger has one canonical form.
void check_entry(const SentEntry& sent) {
  const registry::LedgerEntry entry{.kpi = sent.kpi.text(),
                                    .ns = sent.ns ? sent.ns->text() : "lhcb",
                                    .event_id = sent.event_id,
                                    .value = sent.value.value_or(registry::Amount()),
                                    .evidence = sent.evidence,
                                    .occurred_at = sent.occurred_at,
                                    .model = sent.model ? sent.model->text() : "",
                                    .subject = sent.subject,
                                    .cpu_seconds = sent.cpu_seconds,
                                    .gpu_seconds = sent.gpu_seconds,
                                    .energy_kwh = sent.energy_kwh,
                                    .corrects = sent.corrects,
                                    .reason = sent.reason};
  require(sent.is_correction() != sent.occurred_at.has_value());
  for (const auto& amount : {std::optional(entry.value), entry.cpu_seconds,
                             entry.gpu_seconds, entry.energy_kwh}) {
    if (is_beyond_whole_numbers(amount)) return;
  }
  const std::string text = entry.canonical();
  require(storage::canonical_json(registry::api::parse_json(text)) == text);
}

bool check_row(const KpiEventRow& row) {
  if (const auto* entry = std::get_if<SentEntry>(&row.content)) {
    require(row.event_id == entry->event_id);
    check_entry(*entry);
    return true;
  }
  const auto code = std::get<Error>(row.content).code();
  require(code == ErrorCode::invalid_argument || code == ErrorCode::too_large);
  return false;
}

}  // namespace

bool read_hostile_kpi_events(std::span<const std::byte> input) {
  std::size_t good = 0;
  std::size_t bad = 0;
  registry::api::KpiEventLines lines(
      [&](const KpiEventRow& row, std::size_t) { ++(check_row(row) ? good : bad); });
  in_pieces(input, [&](std::span<const std::byte> piece) { lines.append(piece); });
  lines.finish();
  try {
    for (const auto& row : registry::api::read_kpi_event_document(as_text(input))) {
      check_row(row);
    }
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument);
  }
  return good > 0 && bad == 0;
}

bool decode_hostile_content(std::span<const std::byte> input) {
  if (input.empty()) return false;
  std::size_t size = 0;
  const auto decoder = registry::api::make_decoder(
      input.front() == std::byte{'g'} ? "gzip" : "zstd",
      [&](std::span<const std::byte> data) { size += data.size(); });
  try {
    in_pieces(input.subspan(1),
              [&](std::span<const std::byte> piece) { decoder->decode(piece); });
    decoder->finish();
    return true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument ||
            error.code() == ErrorCode::too_large);
    return false;
  }
}

}  // namespace mendel::testing
