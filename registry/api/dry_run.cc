#include "registry/api/dry_run.h"

#include "storage/base/error.h"

namespace mendel::registry::api {

bool is_dry_run(const Request& request) {
  const auto value = request.query("dry_run").value_or("false");
  if (value != "true" && value != "false") {
    throw Error(ErrorCode::invalid_argument, "dry_run is true or false");
  }
  return value == "true";
}

}  // namespace mendel::registry::api
