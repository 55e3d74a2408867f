#include "cli/evaluations.h"

namespace mendel::cli {

std::vector<Json> get_evaluations(ApiClient& server, const ResolvedVersion& version) {
  try {
    return server.get_all(version.path() + "/evaluations");
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    return {};
  }
}

}  // namespace mendel::cli
