#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/config.h"
#include "storage/base/error.h"
#include "storage/base/http_client.h"

namespace mendel::cli {

using Json = nlohmann::json;

// What the server answered instead of what was asked for, with its problem document
// (RFC 9457), which --json shows as it came.
class ServerProblem : public Error {
 public:
  ServerProblem(ErrorCode code, const std::string& message, Json document)
      : Error(code, message), document_(std::move(document)) {}
  const Json& document() const { return document_; }

 private:
  Json document_;
};

// Speaks Mendel's HTTP interface. Paths begin with /api/v1 and are percent-encoded.
// Problems become Errors of the code that the server had.
//
// What may be repeated is: after a broken connection, a 429 or a 503 there are a few more
// attempts, with growing pauses. For one thread; others make their own from access().
class ApiClient {
 public:
  explicit ApiClient(ServerAccess access);

  const ServerAccess& access() const { return access_; }

  // All that came from the server through this, headers included.
  std::uint64_t received_bytes() const { return http_.received_bytes(); }

  Json get(const std::string& path);
  std::optional<Json> find(const std::string& path);   // nullopt: not found
  std::vector<Json> get_all(const std::string& path);  // the items of every page
  Json put(const std::string& path, const Json& body);
  Json put_bytes(const std::string& path, std::string bytes);
  void remove(const std::string& path, const Json& body);
  Json patch(const std::string& path, const Json& body);

  // Changes something. The key makes the server do it once, however often it arrives.
  Json post(const std::string& path, const Json& body);
  Json post(const std::string& path, const Json& body, const std::string& idempotency_key);

  // Bytes that may arrive more than once.
  Json post_bytes(const std::string& path, const std::string& content_type,
                  std::string bytes);

  // A question whose words are too many for a URL.
  Json ask(const std::string& path, const Json& body);

  // The answer's bytes, whatever they are.
  HttpAnswer get_bytes(const std::string& path);

  // One attempt: whoever streams knows how to go on. The answer has a status below 300.
  HttpAnswer stream(HttpRequest request, Sink& sink);
  HttpAnswer upload(const std::string& path, const std::string& content_type,
                    HttpBody& body);

 private:
  HttpRequest request(std::string method, const std::string& path) const;
  HttpRequest request(std::string method, const std::string& path, const Json& body) const;
  HttpAnswer send_repeatedly(const HttpRequest& request);
  HttpAnswer send_once(const HttpRequest& request);

  ServerAccess access_;
  HttpClient http_;
};

ApiClient connect(const GlobalOptions& options);

// Whether the same request may well succeed a little later.
bool is_transient(ErrorCode code);

// A random UUID (RFC 9562, version 4).
std::string new_uuid();

}  // namespace mendel::cli
