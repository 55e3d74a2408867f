#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "registry/api/message.h"

namespace mendel::registry::http {

// How the end of an answer's body is told.
struct ResponseFraming {
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  std::string_view connection;  // "close", "keep-alive", or nothing
};

// Appends status line and header fields. Framing, Date and X-Request-Id are the server's
// own: what the application set of them is left out. No value can end its line: control
// characters become spaces, and a field whose name is not a token is left out.
void append_response_head(std::string& out, const api::Response& response,
                          const ResponseFraming& framing, std::string_view date,
                          std::string_view request_id);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7)
std::string format_http_date(std::int64_t seconds_since_1970);

}  // namespace mendel::registry::http
