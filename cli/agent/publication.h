#pragma once

#include "cli/agent/attempt_state.h"
#include "cli/agent/job_log.h"

namespace mendel::cli {

// Collects what the command made, sends it, and makes it a version: the reference. May be
// repeated: the version is made once. Throws unprocessable where what the command made is
// not what the pipeline says, and what the server answers.
std::string publish_outputs(const AttemptState& state, const AttemptFiles& files,
                            ApiClient& server, JobLog& log);

}  // namespace mendel::cli
