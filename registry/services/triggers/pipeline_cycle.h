#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/jobs/pipeline_spec.h"
#include "schema/database.h"

namespace mendel::registry {

// Pipelines and triggers make a cycle where what a pipeline makes leads, through triggers
// that hear of it, to the same pipeline again: it would never stop. One that is about to be
// is refused when a pipeline or a trigger is applied.

// The topics under which triggers hear of what a pipeline makes.
std::vector<std::string> topics_of(const PipelineSpec& spec);

// A pipeline as it is to be.
struct PipelineEnd {
  std::int64_t id = 0;
  std::string name;                 // "lhcb/retrain-trk"
  std::vector<std::string> topics;  // of what it makes
};

// Throws unprocessable, naming what the cycle goes through; of namespaces that the caller
// does not see, nothing is named. Called in the transaction that applies it: until it ends,
// nobody else can make a cycle of what is harmless by itself.
void refuse_pipeline_cycle(schema::Transaction& tx, const PipelineEnd& pipeline,
                           const std::function<bool(std::string_view ns)>& is_seen);

}  // namespace mendel::registry
