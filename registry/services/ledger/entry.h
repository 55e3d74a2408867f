#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registry/services/ledger/amount.h"
#include "storage/base/clock.h"
#include "storage/base/digest.h"

namespace mendel::registry {

// One entry of the ledger as it was sent, with what it names spelled as it was made: so
// that its hash can be computed again from what is stored, and by others. A value.
struct LedgerEntry {
  std::string kpi;       // "KPI2.2.1.1"
  std::string ns;        // "lhcb"
  std::string event_id;  // the source's own
  Amount value;          // of a correction: the new one
  std::vector<std::string> evidence;

  // Of events alone.
  std::optional<Timestamp> occurred_at;
  std::string model;  // "lhcb/lamarr-trk:17"; may be empty
  std::map<std::string, std::string> subject;
  std::optional<Amount> cpu_seconds, gpu_seconds, energy_kwh;

  // Of corrections alone.
  std::string corrects;  // the event_id of an event of the same KPI and namespace
  std::string reason;

  bool is_correction() const { return !corrects.empty(); }

  // RFC 8785, what is absent left out:
  //   {"event_id":…,"evidence":[…],"kpi":…,"model":…,"namespace":…,"occurred_at":…,
  //    "resources":{"cpu_seconds":…,"energy_kwh":…,"gpu_seconds":…},"subject":{…},"value":…}
  //   {"corrects":…,"event_id":…,"evidence":[…],"kpi":…,"namespace":…,"reason":…,"value":…}
  std::string canonical() const;

  Digest hash() const { return Digest::of(canonical()); }
};

}  // namespace mendel::registry
