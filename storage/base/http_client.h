#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/io.h"

namespace mendel {

// The body of a request, made while it is sent.
class HttpBody {
 public:
  virtual ~HttpBody() = default;

  // Puts bytes into buffer as soon as there are some, and returns how many; 0 at the end.
  virtual std::size_t next(std::span<std::byte> buffer) = 0;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"

  // What is sent: body, or what streamed_body makes (chunked encoding).
  std::string body;
  HttpBody* streamed_body = nullptr;

  // "host:port:address,address": only these addresses are connected to, whatever the host's
  // name would lead to, and through no proxy. Empty: as the name and the environment say.
  std::string pinned_to = {};

  // All of it takes no longer: deadline_exceeded. 0: as long as it does not stall.
  std::chrono::milliseconds time_max{0};
};

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  // Of the last header of that name, given in lower case.
  std::optional<std::string_view> find_header(std::string_view name) const;
};

struct HttpClientOptions {
  std::chrono::milliseconds connect_timeout;
  std::chrono::seconds stall_timeout;  // without one byte either way
  std::uint64_t body_size_bytes_max;   // of an answer that is collected
  // PEM, in a file and in a hashed directory; both empty: what libcurl trusts.
  std::string ca_file;
  std::string ca_directory;
  std::string user_agent;
  const std::atomic<bool>* cancelled;  // once true, requests end with Error{cancelled}
};

// Speaks HTTP/1.1 to whoever it is asked to, over connections that it keeps open between
// requests. For one thread at a time. Redirects are answers like any other, so that no
// credentials follow one.
//
// Any status is an answer. Throws unavailable if the connection could not be made or broke,
// deadline_exceeded if it stalled, too_large if a collected body is over the limit,
// cancelled, invalid_argument for a URL that makes no sense, internal if TLS does not trust
// the peer; and what the Source or the Sink threw.
class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions options);
  ~HttpClient();

  HttpAnswer send(const HttpRequest& request);

  // The body of a 2xx answer goes to sink, piece by piece; that of any other is collected.
  HttpAnswer send(const HttpRequest& request, Sink& sink);

  // Headers and bodies of all answers so far, those that broke off included; what TLS adds
  // is not counted.
  std::uint64_t received_bytes() const { return received_bytes_; }

 private:
  struct Handle;
  HttpAnswer perform(const HttpRequest& request, Sink* sink);

  HttpClientOptions options_;
  std::unique_ptr<Handle> handle_;
  std::uint64_t received_bytes_ = 0;
};

// As one part of a path, or as the value of a query parameter: RFC 3986, unreserved
// characters as they are and the rest as %XX.
std::string percent_encode(std::string_view text);

}  // namespace mendel
