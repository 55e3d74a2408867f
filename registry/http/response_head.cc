#include "registry/http/response_head.h"

#include <date/date.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace mendel::registry::http {

namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 422: return "Unprocessable Content";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 499: return "Client Closed Request";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool is_the_servers_own(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {
      "connection", "content-length", "date", "transfer-encoding", "x-request-id"};
  return std::ranges::any_of(kNames, [&](std::string_view own) {
    return std::ranges::equal(name, own, {}, lower);
  });
}

bool is_token(std::string_view name) {
  constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           kPunctuation.find(c) != std::string_view::npos;
  });
}

char printable(char c) {
  const auto code = static_cast<unsigned char>(c);
  return code < 0x20 || code == 0x7f ? ' ' : c;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  const std::size_t begin = out.size();
  out.append(value);
  std::transform(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
                 out.begin() + static_cast<std::ptrdiff_t>(begin), printable);
  out.append("\r\n");
}

}  // namespace

void append_response_head(std::string& out, const api::Response& response,
                          const ResponseFraming& framing, std::string_view date,
                          std::string_view request_id) {
  out.append("HTTP/1.1 ").append(fmt::format_int(response.status).str());
  out.append(" ").append(reason_phrase(response.status)).append("\r\n");
  append_field(out, "Date", date);
  append_field(out, "X-Request-Id", request_id);
  if (framing.content_length) {
    const fmt::format_int length(*framing.content_length);
    append_field(out, "Content-Length", {length.data(), length.size()});
  }
  if (framing.chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (!framing.connection.empty()) append_field(out, "Connection", framing.connection);
  for (const auto& [name, value] : response.headers) {
    if (is_token(name) && !is_the_servers_own(name)) append_field(out, name, value);
  }
  out.append("\r\n");
}

std::string format_http_date(std::int64_t seconds_since_1970) {
  const date::sys_seconds time{std::chrono::seconds(seconds_since_1970)};
  return date::format("%a, %d %b %Y %T GMT", time);
}

}  // namespace mendel::registry::http
