#include "storage/base/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <exception>

#include "storage/base/error.h"

namespace mendel {

namespace {

// Few system calls per byte, and what is copied stays in the processor's cache.
constexpr long kUploadBufferSize = (256L << 10) + 64;  // libcurl frames each piece in it
constexpr long kDownloadBufferSize = 256L << 10;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using TextList = std::unique_ptr<curl_slist, FreeList>;

// What the callbacks of one request share. An exception must not pass through libcurl's C
// frames: it waits in thrown until perform() can throw it again.
struct Exchange {
  CURL* easy;
  const HttpClientOptions& options;
  HttpBody* streamed_body;
  Sink* sink;
  HttpAnswer answer;
  std::exception_ptr thrown;
};

template <class Action>
std::size_t guarded(Exchange& exchange, std::size_t on_failure, Action action) {
  try {
    return action();
  } catch (...) {
    exchange.thrown = std::current_exception();
    return on_failure;
  }
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return lower;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

int status_of(CURL* easy) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  return int(status);
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  return guarded(exchange, 0, [&] {
    const std::string_view line(data, size);
    const auto colon = line.find(':');
    if (line.starts_with("HTTP/")) {
      exchange.answer.headers.clear();  // a 100 Continue came before
    } else if (colon != std::string_view::npos) {
      exchange.answer.headers.emplace_back(lower_case(line.substr(0, colon)),
                                           std::string(trim(line.substr(colon + 1))));
    }
    return size;
  });
}

void collect(Exchange& exchange, std::string_view data) {
  std::string& body = exchange.answer.body;
  if (body.size() + data.size() > exchange.options.body_size_bytes_max) {
    throw Error(ErrorCode::too_large, "the answer of the server is larger than expected");
  }
  body.append(data);
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  return guarded(exchange, 0, [&] {
    if (exchange.sink && status_of(exchange.easy) / 100 == 2) {
      exchange.sink->write(std::as_bytes(std::span(data, size)));
    } else {
      collect(exchange, {data, size});
    }
    return size;
  });
}

std::size_t on_upload(char* buffer, std::size_t, std::size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  return guarded(exchange, CURL_READFUNC_ABORT, [&] {
    return exchange.streamed_body->next(std::as_writable_bytes(std::span(buffer, size)));
  });
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* cancelled = static_cast<Exchange*>(context)->options.cancelled;
  return cancelled && *cancelled ? 1 : 0;
}

ErrorCode meaning_of(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return ErrorCode::invalid_argument;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SSL_CONNECT_ERROR: return ErrorCode::unavailable;
    case CURLE_OPERATION_TIMEDOUT: return ErrorCode::deadline_exceeded;
    case CURLE_ABORTED_BY_CALLBACK: return ErrorCode::cancelled;
    default: return ErrorCode::internal;
  }
}

std::uint64_t answer_size(CURL* easy) {
  long head_bytes = 0;
  curl_off_t body_bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_HEADER_SIZE, &head_bytes);
  curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &body_bytes);
  return std::uint64_t(head_bytes) + std::uint64_t(body_bytes);
}

// A string without anything that identifies the caller: a URL may hold credentials.
std::string without_credentials(const std::string& url) {
  const auto scheme = url.find("://");
  const auto at = url.find('@');
  if (scheme == std::string::npos || at == std::string::npos) return url;
  if (at > url.find('/', scheme + 3)) return url;
  return url.substr(0, scheme + 3) + url.substr(at + 1);
}

TextList header_list(const HttpRequest& request) {
  curl_slist* list = nullptr;
  for (const std::string& header : request.headers) {
    list = curl_slist_append(list, header.c_str());
  }
  // We know that we may: waiting for a 100 Continue costs a round trip or a second.
  return TextList(curl_slist_append(list, "Expect:"));
}

const char* c_str_or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

void set_connection(CURL* easy, const HttpClientOptions& options) {
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kDownloadBufferSize);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, long(options.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, long(options.stall_timeout.count()));
  if (!options.ca_file.empty() || !options.ca_directory.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, c_str_or_null(options.ca_file));
    curl_easy_setopt(easy, CURLOPT_CAPATH, c_str_or_null(options.ca_directory));
  }
}

TextList set_place_and_time(CURL* easy, const HttpRequest& request) {
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, long(request.time_max.count()));
  if (request.pinned_to.empty()) return nullptr;
  TextList addresses(curl_slist_append(nullptr, request.pinned_to.c_str()));
  curl_easy_setopt(easy, CURLOPT_RESOLVE, addresses.get());
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  return addresses;
}

void set_callbacks(CURL* easy, Exchange& exchange) {
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
  curl_easy_setopt(easy, CURLOPT_READDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}

void set_method_and_body(CURL* easy, const HttpRequest& request) {
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request.streamed_body) {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferSize);
  } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.size()));
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void initialise_library() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) throw Error(ErrorCode::internal, "cannot start libcurl");
}

}  // namespace

struct HttpClient::Handle {
  CURL* easy = curl_easy_init();
  ~Handle() { curl_easy_cleanup(easy); }
};

std::optional<std::string_view> HttpAnswer::find_header(std::string_view name) const {
  for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
    if (header->first == name) return header->second;
  }
  return std::nullopt;
}

HttpClient::HttpClient(HttpClientOptions options) : options_(std::move(options)) {
  initialise_library();
  handle_ = std::make_unique<Handle>();
}

HttpClient::~HttpClient() = default;

HttpAnswer HttpClient::send(const HttpRequest& request) {
  return perform(request, nullptr);
}

HttpAnswer HttpClient::send(const HttpRequest& request, Sink& sink) {
  return perform(request, &sink);
}

HttpAnswer HttpClient::perform(const HttpRequest& request, Sink* sink) {
  CURL* easy = handle_->easy;
  Exchange exchange{easy, options_, request.streamed_body, sink, {}, nullptr};
  const TextList headers = header_list(request);
  char cause[CURL_ERROR_SIZE] = "";

  curl_easy_reset(easy);  // keeps the connections
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, cause);
  set_connection(easy, options_);
  set_callbacks(easy, exchange);
  set_method_and_body(easy, request);
  const TextList addresses = set_place_and_time(easy, request);

  const CURLcode outcome = curl_easy_perform(easy);
  received_bytes_ += answer_size(easy);
  if (exchange.thrown) std::rethrow_exception(exchange.thrown);
  if (outcome != CURLE_OK) {
    throw Error(meaning_of(outcome), request.method + " " +
                                         without_credentials(request.url) + ": " +
                                         (cause[0] ? cause : curl_easy_strerror(outcome)));
  }
  exchange.answer.status = status_of(easy);
  return std::move(exchange.answer);
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const unsigned char c : text) {
    const bool unreserved = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                            (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' ||
                            c == '~';
    if (unreserved) {
      encoded += char(c);
    } else {
      encoded += {'%', kHex[c >> 4], kHex[c & 15]};
    }
  }
  return encoded;
}

}  // namespace mendel
