#pragma once

#include <nlohmann/json.hpp>

#include "registry/services/jobs/pipelines.h"

namespace mendel::registry::api {

// A pipeline's document. Throws invalid_argument for fields that are missing, unknown or of
// the wrong type, and unprocessable for what they say: an engine that is not there, a
// command that a shell would have to take apart, a pattern that matches nothing. Either
// names every such field.
PipelineService::Document read_pipeline_body(const nlohmann::json& document);

}  // namespace mendel::registry::api
