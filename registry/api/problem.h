#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "registry/api/message.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

// An error as the client sees it: application/problem+json (RFC 9457). Below 500 the detail
// is the Error's message; from 500 up it is a fixed sentence, and the message stays in the
// log under the request's id.
Response problem_response(const Error& error, std::string_view request_id);

// The same of one thing among many: a document without an instance.
nlohmann::json problem_document(const Error& error);

// For what only HTTP knows: 400, 405, 408, 413, 415, 431, 503.
Response problem_response(int status, std::string_view detail, std::string_view request_id);

int http_status(ErrorCode code);

}  // namespace mendel::registry::api
