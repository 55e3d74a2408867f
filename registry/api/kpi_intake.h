#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "registry/api/kpi_event_body.h"
#include "registry/services/caller.h"
#include "registry/services/ledger/recorder.h"
#include "registry/services/ledger/sent_entry.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

// The rows of one request on their way into the ledger, some at a time; and what became of
// them, for the answer.
class KpiIntake {
 public:
  static constexpr std::size_t kBatchSizeBytesMax = 1 << 20;
  static constexpr std::size_t kRejectionsListed = 1000;

  KpiIntake(Recorder& recorder, Caller caller)
      : recorder_(recorder), caller_(std::move(caller)) {}

  // size_bytes: as it was sent.
  void take(KpiEventRow row, std::size_t size_bytes);

  // Records what is left.
  void finish();

  // Rows that are dealt with for good.
  std::size_t rows_done() const { return row_count_ - waiting_.size(); }

  // {"accepted", "duplicates", "rejected": […], "rejected_count"}
  nlohmann::json answer() const;

 private:
  struct Place {
    std::size_t index = 0;  // in the request
    std::string event_id;
  };
  struct Rejection {
    Place place;
    Error error;
  };
  void record();
  void reject(Place place, const Error& error);

  Recorder& recorder_;
  const Caller caller_;
  std::size_t row_count_ = 0;
  std::vector<SentEntry> waiting_;
  std::vector<Place> places_;  // of those that wait
  std::size_t waiting_size_bytes_ = 0;

  std::size_t accepted_ = 0;
  std::size_t duplicates_ = 0;
  std::size_t rejected_ = 0;
  std::vector<Rejection> rejections_;  // the first of them
};

}  // namespace mendel::registry::api
