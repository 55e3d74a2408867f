#pragma once

#include <nlohmann/json.hpp>

#include "registry/api/visible.h"
#include "registry/services/jobs/jobs.h"

namespace mendel::registry::api {

// A job, as a list shows it; and with what there may be much of. What lies in namespaces
// that the caller may not read is counted, and not named.
nlohmann::json job_summary(const schema::JobRow& job, Visible& is_visible);
nlohmann::json job_document(const schema::JobRow& job, const JobService::Details& details,
                            Visible& is_visible);

// What an agent needs of a job beside its attempt.
nlohmann::json job_work(const schema::JobRow& job);

}  // namespace mendel::registry::api
