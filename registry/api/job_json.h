#pragma once

#include <nlohmann/json.hpp>

#include "registry/services/jobs/jobs.h"

namespace mendel::registry::api {

// A job, as a list shows it; and with what there may be much of.
nlohmann::json job_summary(const schema::JobRow& job);
nlohmann::json job_document(const schema::JobRow& job, const JobService::Details& details);

// What an agent needs of a job beside its attempt.
nlohmann::json job_work(const schema::JobRow& job);

}  // namespace mendel::registry::api
