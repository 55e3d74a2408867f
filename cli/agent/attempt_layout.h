#pragma once

#include "cli/agent/attempt_state.h"
#include "cli/agent/job_log.h"

namespace mendel::cli {

// Lays out what a command is run on, from the lease alone: the source at its commit, the
// inputs, the hyperparameters. May be repeated. What it was in the end, as a run records
// it: "inputs", "hyperparameters", "source" as far as there are.
//
// Throws what checking out and pulling throw, out_of_space where the disk is full, and
// data_loss for an input that is not what the job froze.
Json lay_out(const AttemptState& state, const AttemptFiles& files, ApiClient& server,
             JobLog& log);

}  // namespace mendel::cli
