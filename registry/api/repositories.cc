#include "registry/api/repositories.h"

#include <nlohmann/json.hpp>

#include "registry/api/json.h"
#include "registry/services/egress/repository_check.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

// GET /api/v1/repositories/check
Response check_repository(const Request& request, Services& services) {
  const auto repository = request.query("repository");
  const auto commit = request.query("commit");
  if (!repository || !commit)
    throw Error(ErrorCode::invalid_argument, "repository and commit must be there");
  if (!request.caller().scopes.has(Scope::read))
    throw Error(ErrorCode::permission_denied, "this needs a token with the scope 'read'");

  const auto answer =
      services.repository_check.check(std::string(*repository), std::string(*commit));

  nlohmann::json document{{"available", answer.available}};
  if (!answer.available) document["why"] = answer.why;
  return json_response(200, document);
}

}  // namespace mendel::registry::api
