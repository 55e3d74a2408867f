#include "tests/fuzz/hostile_job_files.h"

#include <cstdlib>

#include "cli/agent/metrics_file.h"
#include "cli/params.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"
#include "storage/canonical_json.h"

namespace mendel::testing {

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

bool read_hostile_metrics_file(std::span<const std::byte> input) {
  try {
    const cli::MetricsFile metrics = cli::parse_metrics_file(as_text(input));
    require(metrics.values.empty() != metrics.points.empty());
    require(metrics.values.is_object());
    return true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::unprocessable);
    return false;
  }
}

bool read_hostile_yaml_documents(std::span<const std::byte> input) {
  try {
    for (const auto& document : cli::parse_yaml_documents(as_text(input))) {
      require(!document.is_null());
      storage::canonical_json(document);
    }
    return true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument ||
            error.code() == ErrorCode::too_large);
    return false;
  }
}

}  // namespace mendel::testing
