#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/api_client.h"

namespace mendel::cli {

// What options say of an event that counts towards a KPI.
struct KpiEventOptions {
  std::string kpi;
  std::string event_id;
  std::string value;
  std::string occurred_at;
  std::string model;  // lhcb/lamarr-trk:17
  std::string ns;
  std::vector<std::string> subject;    // KEY=VALUE
  std::vector<std::string> evidence;   // URLs
  std::vector<std::string> resources;  // cpu_seconds=12.5
};

// The event as it is sent. Throws invalid_argument for what could never be accepted, so
// that a journal is not filled with it.
Json kpi_event(const KpiEventOptions& options);

struct KpiCorrectionOptions {
  std::string kpi;
  std::string corrects;  // the event's id
  std::string ns;
  std::string value;
  std::string reason;
  std::string own_id;  // empty: one that follows from the rest
  std::vector<std::string> evidence;
};

// Without an id of its own it has one that follows from what it says, so that repeating it
// changes nothing.
Json kpi_correction(const KpiCorrectionOptions& options);

}  // namespace mendel::cli
