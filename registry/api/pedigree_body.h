#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registry/api/json.h"
#include "registry/services/inputs.h"

namespace mendel::registry::api {

// The members of a request that say where something comes from and what was measured of it:
// the same for a version, a run and an evaluation. What breaks a rule becomes a problem of
// the reader.

// "message": text; empty without one.
std::string read_message(ObjectReader& body);

// "labels": names to text.
std::map<std::string, std::string> read_labels(ObjectReader& body);

// "metrics": names to numbers, "NaN", "Infinity" or "-Infinity"; a JSON object.
std::string read_metrics(ObjectReader& body);

// "hyperparameters": their canonical JSON (RFC 8785).
std::optional<std::string> read_hyperparameters(ObjectReader& body);

// "source": the git commit that it was made from; a JSON object.
std::optional<std::string> read_source(ObjectReader& body);

// "inputs": [{role, ref}] or [{role, uri, digest}], each perhaps with a name.
std::vector<InputRequest> read_inputs(ObjectReader& body);

}  // namespace mendel::registry::api
