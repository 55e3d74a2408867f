#include "cli/ci_job.h"

#include <cstdlib>

namespace mendel::cli {

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Json urls(const std::string& pipeline, const std::string& job) {
  Json urls = Json::object();
  if (!pipeline.empty()) urls["pipeline_url"] = pipeline;
  if (!job.empty()) urls["job_url"] = job;
  return urls.empty() ? Json() : urls;
}

}  // namespace

Json find_ci_job() {
  if (!variable("GITLAB_CI").empty()) {
    return urls(variable("CI_PIPELINE_URL"), variable("CI_JOB_URL"));
  }
  const std::string run = variable("GITHUB_RUN_ID");
  if (!variable("GITHUB_ACTIONS").empty() && !run.empty()) {
    const std::string url = variable("GITHUB_SERVER_URL") + "/" +
                            variable("GITHUB_REPOSITORY") + "/actions/runs/" + run;
    const std::string attempt = variable("GITHUB_RUN_ATTEMPT");
    // GitHub does not tell a job its own page; that of the attempt lists its jobs.
    return urls(url, attempt.empty() ? "" : url + "/attempts/" + attempt);
  }
  return nullptr;
}

}  // namespace mendel::cli
