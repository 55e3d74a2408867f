#include "registry/http/answer_sender.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>
#include <variant>

#include "registry/http/response_head.h"
#include "storage/base/digest.h"
#include "storage/base/error.h"

namespace mendel::registry::http {

namespace {

using api::ByteStream;
using api::Response;
using api::SharedBytes;

// Copied behind the head, so that the socket takes them as one.
constexpr std::size_t kInlineBodySizeBytesMax = 2 << 10;

std::string_view bytes_in_memory(const Response& response) {
  if (const auto* shared = std::get_if<SharedBytes>(&response.body)) return shared->bytes;
  if (const auto* text = std::get_if<std::string>(&response.body)) return *text;
  return {};
}

bool may_have_body(int status) { return status != 204 && status != 304; }

std::optional<std::uint64_t> body_size(const Response& response) {
  if (const auto* stream = std::get_if<ByteStream>(&response.body))
    return stream->size_bytes;
  return bytes_in_memory(response).size();
}

}  // namespace

Response refusal(api::Exchange& exchange, int status, std::string_view detail) {
  Response response = exchange.refuse(status, detail);
  if (status == 503 && !response.headers.find("Retry-After")) {
    response.headers.set("Retry-After", "1");
  }
  return response;
}

void AnswerSender::read_ahead(Response& response) {
  if (is_streamed(response)) start_download(std::get<ByteStream>(std::move(response.body)));
}

Task<bool> AnswerSender::send(Response response, api::Exchange& exchange, bool& keeps_alive,
                              api::Completion& completion) {
  if (is_streamed(response) && !download_ && !failure_) {
    auto* const stream = &std::get<ByteStream>(response.body);
    hop_.resume([this, stream] { start_download(std::move(*stream)); });
    co_await hop_.finished();
  }
  if (const auto status = std::exchange(failure_, std::nullopt)) {
    response = refusal(exchange, *status, "the answer's bytes could not be read");
  }
  const bool is_chunked = write_head(response, keeps_alive);
  completion.status = response.status;

  bool was_sent = false;
  if (is_streamed(response)) {
    was_sent = co_await send_download(is_chunked, completion);
    if (was_sent) drop();
  } else {
    const bool has_body = parser_.head().method != "HEAD" && may_have_body(response.status);
    const std::string_view body = has_body ? bytes_in_memory(response) : "";
    was_sent = co_await send_from_memory(body, completion);
  }
  co_return was_sent;
}

bool AnswerSender::is_streamed(const Response& response) const {
  return std::holds_alternative<ByteStream>(response.body) &&
         may_have_body(response.status) && parser_.head().method != "HEAD";
}

// Decides how the body will end, and whether the connection goes on after it. Returns
// whether the body goes in chunks.
bool AnswerSender::write_head(const Response& response, bool& keeps_alive) {
  const bool has_body = may_have_body(response.status);
  ResponseFraming framing;
  framing.content_length = body_size(response);
  framing.chunked = has_body && !framing.content_length && !parser_.is_http_1_0();
  const bool has_end = framing.content_length || framing.chunked || !has_body;
  if (!has_body && (response.status == 204 || framing.content_length == 0u)) {
    framing.content_length.reset();
  }

  keeps_alive = keeps_alive && has_end && !loop_.is_draining();
  if (!keeps_alive) framing.connection = "close";
  if (keeps_alive && parser_.is_http_1_0()) framing.connection = "keep-alive";

  head_text_.clear();
  append_response_head(head_text_, response, framing, loop_.http_date(), parser_.head().id);
  return framing.chunked;
}

Task<bool> AnswerSender::send_from_memory(std::string_view body,
                                          api::Completion& completion) {
  completion.bytes_out = body.size();
  if (body.size() <= kInlineBodySizeBytesMax) head_text_.append(std::exchange(body, {}));
  const bool was_sent = co_await connection_.write_all(head_text_, body);
  co_return was_sent;
}

// A chunk is its size in hexadecimal, CRLF, its bytes, CRLF; the last one has no bytes. The
// text between two chunks is written with the second.
Task<bool> AnswerSender::send_download(bool is_chunked, api::Completion& completion) {
  std::string_view end_of_chunk;
  for (bool is_over = false; !is_over;) {
    const std::string_view part = as_text(download_->part());
    is_over = download_->is_over();
    if (!is_over) hop_.resume([this] { read_download(); });

    if (is_chunked && !part.empty()) {
      head_text_.append(end_of_chunk);
      fmt::format_to(std::back_inserter(head_text_), "{:x}\r\n", part.size());
      end_of_chunk = "\r\n";
    }
    const bool was_sent = co_await connection_.write_all(head_text_, part);
    head_text_.clear();
    if (was_sent) completion.bytes_out += part.size();
    co_await hop_.finished();
    if (!was_sent || failure_) co_return false;
  }
  if (is_chunked) {
    head_text_.append(end_of_chunk).append("0\r\n\r\n");
    const bool was_ended = co_await connection_.write_all(head_text_, {});
    co_return was_ended;
  }
  co_return true;
}

void AnswerSender::start_download(ByteStream stream) {
  failure_.reset();
  download_ =
      std::make_unique<Download>(std::move(stream), loop_.limits, loop_.body_memory);
  read_download();
}

void AnswerSender::read_download() {
  try {
    download_->read_next();
  } catch (const Error& error) {
    spdlog::error("request {}: cannot read what it asked for: {}", parser_.head().id,
                  error.what());
    failure_ = error.code() == ErrorCode::unavailable ? 503 : 500;
  } catch (const std::exception& bug) {
    spdlog::error("request {}: cannot read what it asked for: {}", parser_.head().id,
                  bug.what());
    failure_ = 500;
  }
}

}  // namespace mendel::registry::http
