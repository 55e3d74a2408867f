#pragma once

#include "cli/api_client.h"

namespace mendel::cli {

// Which CI job this is, from the variables of GitLab and GitHub:
// {"pipeline_url", "job_url"} as far as they are known; null outside of CI.
Json find_ci_job();

}  // namespace mendel::cli
