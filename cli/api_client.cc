#include "cli/api_client.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "cli/interrupt.h"

namespace mendel::cli {

namespace {

constexpr int kAttemptsMax = 4;
constexpr std::chrono::milliseconds kFirstPause{250};
constexpr std::chrono::milliseconds kPauseMax{30'000};
constexpr std::uint64_t kAnswerSizeMax = 256ull << 20;

ErrorCode meaning_of_status(int status) {
  switch (status) {
    case 401: return ErrorCode::unauthenticated;
    case 403: return ErrorCode::permission_denied;
    case 404: return ErrorCode::not_found;
    case 409: return ErrorCode::already_exists;
    case 410: return ErrorCode::gone;
    case 412: return ErrorCode::failed_precondition;
    case 413: return ErrorCode::too_large;
    case 416: return ErrorCode::out_of_range;
    case 422: return ErrorCode::unprocessable;
    case 429: return ErrorCode::resource_exhausted;
    case 408:
    case 504: return ErrorCode::deadline_exceeded;
    case 502:
    case 503: return ErrorCode::unavailable;
    case 507: return ErrorCode::out_of_space;
    default: return status < 500 ? ErrorCode::invalid_argument : ErrorCode::internal;
  }
}

std::string member(const Json& object, const char* name) {
  return object.contains(name) && object[name].is_string() ? object[name].get<std::string>()
                                                           : std::string();
}

ErrorCode code_of(const Json& problem, int status) {
  const std::string type = member(problem, "type");
  const auto code = parse_error_code(std::string_view(type).substr(type.rfind('/') + 1));
  return code.value_or(meaning_of_status(status));
}

std::string message_of(const Json& problem, const HttpAnswer& answer) {
  std::string message = member(problem, "detail");
  if (message.empty()) message = member(problem, "title");
  if (message.empty()) message = fmt::format("the server answered {}", answer.status);
  if (problem.contains("errors") && problem["errors"].is_array()) {
    for (const Json& error : problem["errors"]) {
      message += "\n  " + member(error, "pointer") + ": " + member(error, "detail");
    }
  }
  const auto request_id = answer.find_header("x-request-id");
  if (request_id) message += fmt::format(" (request {})", *request_id);
  return message;
}

[[noreturn]] void throw_problem(const HttpAnswer& answer) {
  Json problem = Json::parse(answer.body, nullptr, false);
  if (!problem.is_object()) problem = {{"status", answer.status}};
  throw ServerProblem(code_of(problem, answer.status), message_of(problem, answer),
                      problem);
}

Json decode(const HttpAnswer& answer) {
  if (answer.body.empty()) return Json::object();
  Json document = Json::parse(answer.body, nullptr, false);
  if (document.is_discarded()) {
    throw Error(ErrorCode::internal,
                "the server's answer is no JSON: is this a Mendel server?");
  }
  return document;
}

std::chrono::milliseconds pause_after(int attempt, const HttpAnswer& answer) {
  const std::string_view retry_after = answer.find_header("retry-after").value_or("");
  int seconds = 0;
  std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), seconds);
  const auto asked = std::chrono::milliseconds(std::int64_t{seconds} * 1000);
  return std::min(std::max(asked, kFirstPause * (1 << attempt)), kPauseMax);
}

HttpClientOptions options_for(const ServerAccess& access) {
  return {.connect_timeout = std::chrono::seconds(15),
          .stall_timeout = std::chrono::seconds(120),
          .body_size_bytes_max = kAnswerSizeMax,
          .ca_file = access.trusted.file,
          .ca_directory = access.trusted.directory,
          .user_agent = "mendel/" MENDEL_VERSION,
          .cancelled = &interrupted()};
}

std::string with_parameter(const std::string& path, const std::string& parameter) {
  return path + (path.find('?') == path.npos ? '?' : '&') + parameter;
}

}  // namespace

ApiClient::ApiClient(ServerAccess access)
    : access_(std::move(access)), http_(options_for(access_)) {}

Json ApiClient::get(const std::string& path) {
  return decode(send_repeatedly(request("GET", path)));
}

std::optional<Json> ApiClient::find(const std::string& path) {
  try {
    return get(path);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    return std::nullopt;
  }
}

std::vector<Json> ApiClient::get_all(const std::string& path) {
  std::vector<Json> items;
  std::string page_path = with_parameter(path, "limit=1000");
  for (;;) {
    Json page = get(page_path);
    for (Json& item : page.at("items")) items.push_back(std::move(item));
    if (!page.contains("next")) return items;
    page_path = with_parameter(
        path, "limit=1000&after=" + percent_encode(page["next"].get<std::string>()));
  }
}

Json ApiClient::put(const std::string& path, const Json& body) {
  return decode(send_repeatedly(request("PUT", path, body)));
}

Json ApiClient::put_bytes(const std::string& path, std::string bytes) {
  HttpRequest put = request("PUT", path);
  put.headers.push_back("Content-Type: application/octet-stream");
  put.body = std::move(bytes);
  return decode(send_repeatedly(put));
}

void ApiClient::remove(const std::string& path, const Json& body) {
  send_repeatedly(body.is_null() ? request("DELETE", path) : request("DELETE", path, body));
}

Json ApiClient::patch(const std::string& path, const Json& body) {
  return decode(send_repeatedly(request("PATCH", path, body)));
}

Json ApiClient::post(const std::string& path, const Json& body) {
  return post(path, body, new_uuid());
}

Json ApiClient::post(const std::string& path, const Json& body,
                     const std::string& idempotency_key) {
  HttpRequest post = request("POST", path, body);
  post.headers.push_back("Idempotency-Key: " + idempotency_key);
  return decode(send_repeatedly(post));
}

Json ApiClient::post_bytes(const std::string& path, const std::string& content_type,
                           std::string bytes) {
  HttpRequest post = request("POST", path);
  post.headers.push_back("Content-Type: " + content_type);
  post.body = std::move(bytes);
  return decode(send_repeatedly(post));
}

Json ApiClient::ask(const std::string& path, const Json& body) {
  return decode(send_repeatedly(request("POST", path, body)));
}

HttpAnswer ApiClient::get_bytes(const std::string& path) {
  return send_repeatedly(request("GET", path));
}

HttpAnswer ApiClient::stream(HttpRequest request, Sink& sink) {
  HttpRequest complete = this->request(request.method, request.url);
  complete.body = std::move(request.body);
  std::ranges::move(request.headers, std::back_inserter(complete.headers));
  HttpAnswer answer = http_.send(complete, sink);
  if (answer.status >= 300) throw_problem(answer);
  return answer;
}

HttpAnswer ApiClient::upload(const std::string& path, const std::string& content_type,
                             HttpBody& body) {
  HttpRequest post = request("POST", path);
  post.headers.push_back("Content-Type: " + content_type);
  post.streamed_body = &body;
  return send_once(post);
}

HttpRequest ApiClient::request(std::string method, const std::string& path) const {
  HttpRequest request;
  request.method = std::move(method);
  request.url = access_.url + path;
  if (!access_.token.empty()) {
    request.headers.push_back("Authorization: Bearer " + access_.token);
  }
  return request;
}

HttpRequest ApiClient::request(std::string method, const std::string& path,
                               const Json& body) const {
  HttpRequest request = this->request(std::move(method), path);
  request.headers.push_back("Content-Type: application/json");
  request.body = body.dump();
  return request;
}

HttpAnswer ApiClient::send_repeatedly(const HttpRequest& request) {
  for (int attempt = 1;; ++attempt) {
    HttpAnswer answer;
    try {
      answer = http_.send(request);
      if (answer.status < 300) return answer;
      throw_problem(answer);
    } catch (const Error& error) {
      if (attempt == kAttemptsMax || !is_transient(error.code())) throw;
    }
    sleep_unless_interrupted(pause_after(attempt - 1, answer));
  }
}

HttpAnswer ApiClient::send_once(const HttpRequest& request) {
  HttpAnswer answer = http_.send(request);
  if (answer.status >= 300) throw_problem(answer);
  return answer;
}

ApiClient connect(const GlobalOptions& options) {
  return ApiClient(resolve_access(options));
}

bool is_transient(ErrorCode code) {
  return code == ErrorCode::unavailable || code == ErrorCode::resource_exhausted ||
         code == ErrorCode::deadline_exceeded;
}

std::string new_uuid() {
  std::random_device random;
  const auto part = [&] { return random() & 0xffff; };
  return fmt::format("{:04x}{:04x}-{:04x}-{:04x}-{:04x}-{:04x}{:04x}{:04x}", part(), part(),
                     part(), 0x4000 | (part() & 0x0fff), 0x8000 | (part() & 0x3fff), part(),
                     part(), part());
}

}  // namespace mendel::cli
