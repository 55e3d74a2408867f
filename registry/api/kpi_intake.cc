#include "registry/api/kpi_intake.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <variant>

#include "registry/api/problem.h"

namespace mendel::registry::api {

using nlohmann::json;

void KpiIntake::take(KpiEventRow row, std::size_t size_bytes) {
  Place place{row_count_++, std::move(row.event_id)};
  if (const auto* error = std::get_if<Error>(&row.content)) {
    return reject(std::move(place), *error);
  }
  waiting_.push_back(std::get<SentEntry>(std::move(row.content)));
  places_.push_back(std::move(place));
  waiting_size_bytes_ += size_bytes;
  const bool is_full =
      waiting_.size() == Recorder::kEntriesMax || waiting_size_bytes_ >= kBatchSizeBytesMax;
  if (is_full) record();
}

void KpiIntake::finish() {
  if (!waiting_.empty()) record();
}

void KpiIntake::record() {
  const auto outcome = recorder_.record(caller_, waiting_);
  accepted_ += outcome.accepted;
  duplicates_ += outcome.duplicates;
  for (const auto& refusal : outcome.refusals) {
    reject(std::move(places_[refusal.index]), refusal.error);
  }
  waiting_.clear();
  places_.clear();
  waiting_size_bytes_ = 0;
}

void KpiIntake::reject(Place place, const Error& error) {
  ++rejected_;
  if (rejections_.size() < kRejectionsListed) {
    rejections_.push_back({std::move(place), error});
  }
}

// What a row itself breaks is found before what is wrong with those that waited before it.
json KpiIntake::answer() const {
  auto in_order = rejections_;
  std::ranges::sort(in_order, {},
                    [](const Rejection& rejection) { return rejection.place.index; });
  auto rejected = json::array();
  for (const auto& [place, error] : in_order) {
    json row{{"index", place.index}, {"problem", problem_document(error)}};
    if (!place.event_id.empty()) row["event_id"] = place.event_id;
    rejected.push_back(std::move(row));
  }
  return {{"accepted", accepted_},
          {"duplicates", duplicates_},
          {"rejected", std::move(rejected)},
          {"rejected_count", rejected_}};
}

}  // namespace mendel::registry::api
