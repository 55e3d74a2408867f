#pragma once

#include "cli/api_client.h"

namespace mendel::cli {

// What differs between two versions as the server describes them, beside their files. Each
// is a list of {…, "before"?, "after"?}; what is only in one of them lacks the other
// member.

// By path, "training.layers.0": {"path", …}.
Json diff_hyperparameters(const Json& before, const Json& after);

// By role and artifact, or URI: {"role", "name"?, …}. A moved input is one entry.
Json diff_inputs(const Json& before, const Json& after);

// By name: {"name", …}, references of versions.
Json diff_components(const Json& before, const Json& after);

// By name: {"name", …}.
Json diff_metrics(const Json& before, const Json& after);
Json diff_labels(const Json& before, const Json& after);

// {"before"?: {"commit", "dirty"?, "patch"?, …}, "after"?: …}, or null where they are the
// same.
Json diff_source(const Json& before, const Json& after);

// The newest evaluation of each metric and dataset: {"name", "dataset"?, …}. before and
// after are lists of evaluations, newest first.
Json diff_evaluations(const Json& before, const Json& after);

// The leaves of a document by their paths, in their order.
std::vector<std::pair<std::string, Json>> leaves_of(const Json& document);

}  // namespace mendel::cli
