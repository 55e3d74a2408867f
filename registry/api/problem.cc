#include "registry/api/problem.h"

#include <nlohmann/json.hpp>
#include <string>

namespace mendel::registry::api {

namespace {

struct Problem {
  int status;
  std::string_view title;
};

Problem describe(ErrorCode code) {
  using enum ErrorCode;
  switch (code) {  // no default: the compiler finds the code left out
    case invalid_argument: return {400, "Invalid argument"};
    case unauthenticated: return {401, "Not authenticated"};
    case permission_denied: return {403, "Permission denied"};
    case not_found: return {404, "Not found"};
    case already_exists: return {409, "Already exists"};
    case aborted: return {409, "Conflicting change"};
    case gone: return {410, "Gone"};
    case failed_precondition: return {412, "Precondition failed"};
    case too_large: return {413, "Too large"};
    case out_of_range: return {416, "Range not satisfiable"};
    case unprocessable: return {422, "Cannot be processed"};
    case resource_exhausted: return {429, "Limit exceeded"};
    case cancelled: return {499, "Cancelled"};
    case data_loss: return {500, "Stored data is damaged"};
    case internal: return {500, "Internal error"};
    case unavailable: return {503, "Temporarily unavailable"};
    case deadline_exceeded: return {504, "Deadline exceeded"};
    case out_of_space: return {507, "Out of space"};
  }
  return {500, "Internal error"};
}

// What a client is told of a failure that is the server's.
std::string_view public_detail(int status) {
  switch (status) {
    case 503: return "A part of the service is away. Try again.";
    case 504: return "The request took too long: it may or may not have taken effect.";
    case 507: return "The server's storage is full. Nothing was changed.";
    default: return "The server could not complete the request.";
  }
}

struct HttpProblem {
  std::string_view type;
  std::string_view title;
};

HttpProblem describe_status(int status) {
  switch (status) {
    case 405: return {"method-not-allowed", "Method not allowed"};
    case 408: return {"request-timeout", "Request timeout"};
    case 413: return {"too-large", "Too large"};
    case 415: return {"unsupported-media-type", "Unsupported media type"};
    case 431: return {"header-too-large", "Header too large"};
    case 501: return {"not-implemented", "Not implemented"};
    case 503: return {"unavailable", "Temporarily unavailable"};
    case 505: return {"version-not-supported", "HTTP version not supported"};
    default:
      return {status < 500 ? "invalid-argument" : "internal",
              status < 500 ? "Invalid argument" : "Internal error"};
  }
}

Response render(int status, nlohmann::json problem, std::string_view request_id) {
  problem["status"] = status;
  problem["instance"] = "urn:request:" + std::string(request_id);
  Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/problem+json");
  response.headers.set("Cache-Control", "no-store");
  if (status == 401) {
    response.headers.add("WWW-Authenticate", "Bearer realm=\"mendel\"");
    response.headers.add("WWW-Authenticate", "Basic realm=\"mendel\", charset=\"UTF-8\"");
  }
  if (status == 429 || status == 503) response.headers.set("Retry-After", "1");
  response.body =
      problem.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return response;
}

}  // namespace

int http_status(ErrorCode code) { return describe(code).status; }

nlohmann::json problem_document(const Error& error) {
  const auto [status, title] = describe(error.code());
  nlohmann::json problem{
      {"type", "/problems/" + std::string(wire_name(error.code()))},
      {"title", title},
      {"status", status},
      {"detail", status < 500 ? std::string_view(error.what()) : public_detail(status)}};
  if (status < 500 && !error.fields().empty()) {
    auto& errors = problem["errors"] = nlohmann::json::array();
    for (const FieldError& field : error.fields()) {
      errors.push_back({{"pointer", field.pointer}, {"detail", field.detail}});
    }
  }
  return problem;
}

Response problem_response(const Error& error, std::string_view request_id) {
  return render(http_status(error.code()), problem_document(error), request_id);
}

Response problem_response(int status, std::string_view detail,
                          std::string_view request_id) {
  const auto [type, title] = describe_status(status);
  return render(
      status,
      {{"type", "/problems/" + std::string(type)}, {"title", title}, {"detail", detail}},
      request_id);
}

}  // namespace mendel::registry::api
