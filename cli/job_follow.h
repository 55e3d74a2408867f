#pragma once

#include <string>

#include "cli/api_client.h"

namespace mendel::cli {

std::string job_path(const std::string& id);  // /api/v1/jobs/ID

// Whether a job will not change any more.
bool has_ended(const Json& job);

struct LogOptions {
  int attempt = 0;  // 0: the last
  bool follow = false;
};

// On standard output, byte by byte as it was printed. A server that is away while a log is
// followed is asked again.
void print_job_log(ApiClient& server, const std::string& id, const LogOptions& options);

// Until the job has ended; then says how. Throws CLI::RuntimeError(1) unless it succeeded.
void wait_for_job(ApiClient& server, const std::string& id, const GlobalOptions& global);

}  // namespace mendel::cli
