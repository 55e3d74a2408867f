#include "cli/git_handle.h"

#include <nlohmann/json.hpp>

#include "storage/base/error.h"

namespace mendel::cli {

std::string git_message() {
  const git_error* const error = git_error_last();
  return error == nullptr || error->message == nullptr ? "no reason given" : error->message;
}

void check_git(int code, const std::string& doing) {
  if (code >= 0) return;
  throw Error(code == GIT_ENOTFOUND ? ErrorCode::not_found : ErrorCode::internal,
              "git: " + doing + ": " + git_message());
}

std::string as_utf8(const char* text) {
  if (text == nullptr) return "";
  using nlohmann::json;
  const std::string quoted =
      json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  return json::parse(quoted).get<std::string>();
}

}  // namespace mendel::cli
