#pragma once

#include <optional>
#include <string>

#include "registry/services/access.h"
#include "registry/services/caller.h"
#include "registry/services/triggers/decision.h"
#include "registry/services/triggers/trigger_document.h"
#include "schema/triggers.h"
#include "storage/base/error.h"

namespace mendel::registry {

// Who applied a trigger last, with what they may do today.
Caller owner_of(const schema::TriggerRow& trigger);

// Why this caller may not have such a trigger: it must be able to read what the trigger
// watches, and to write where its pipeline is. nullopt: it may.
std::optional<FieldError> find_refusal(AccessService& access, const Caller& caller,
                                       const TriggerDocument& trigger);

// Why this caller may not hear of an event: it must be able to read a KPI that has fallen
// behind, which a definition since may have made somebody else's. nullopt: it may.
std::optional<FieldError> find_refusal(AccessService& access, const Caller& caller,
                                       const HeardEvent& event);

}  // namespace mendel::registry
