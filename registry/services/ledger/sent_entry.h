#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registry/services/ledger/amount.h"
#include "storage/base/clock.h"
#include "storage/base/reference.h"

namespace mendel::registry {

// An entry for the ledger as a client sent it: its form was checked, what it names was not
// looked up. With corrects it is a correction, which has a value and a reason, and no more
// than evidence besides.
struct SentEntry {
  Name kpi;
  std::optional<Name> ns;  // absent: the model's
  std::string event_id;
  std::optional<Amount> value;
  std::optional<Timestamp> occurred_at;
  std::optional<Reference> model;  // by its number or its digest
  std::map<std::string, std::string> subject;
  std::vector<std::string> evidence;
  std::optional<Amount> cpu_seconds, gpu_seconds, energy_kwh;
  std::string corrects;
  std::string reason;

  bool is_correction() const { return !corrects.empty(); }
};

}  // namespace mendel::registry
