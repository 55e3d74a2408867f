// The head is handed to Beast's parser whole: given in pieces, it takes field by field and
// its header limit holds for each piece alone.

#include "registry/http/request_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <optional>

namespace mendel::registry::http {

namespace {

namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using ErrorCode = boost::system::error_code;

constexpr std::string_view kEndOfHead = "\r\n\r\n";

// What a request may begin with: a method's token (RFC 9110, section 5.6.2).
bool is_token_char(char c) {
  constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         kPunctuation.find(c) != std::string_view::npos;
}

struct Framing {
  int version = 0;  // 10 or 11
  bool chunked = false;
  bool expects_continue = false;
  int hosts = 0;
  std::size_t fields = 0;
};

class Parser : public beast_http::basic_parser<true> {
 public:
  Parser(api::RequestHead* head, std::size_t fields_max)
      : head_(head), fields_max_(fields_max) {
    body_limit(boost::none);
  }

  const Framing& framing() const { return framing_; }

  void output(std::span<std::byte> output) { output_ = output; }
  std::span<std::byte> rest_of_output() const { return output_; }

 private:
  void on_request_impl(beast_http::verb, beast::string_view method,
                       beast::string_view target, int version, ErrorCode&) override {
    framing_.version = version;
    head_->method.assign(method.data(), method.size());
    head_->target.assign(target.data(), target.size());
  }

  void on_field_impl(beast_http::field field, beast::string_view name,
                     beast::string_view value, ErrorCode& error) override {
    if (in_body_) return;  // a trailer
    if (++framing_.fields > fields_max_) {
      error = beast_http::error::header_limit;
      return;
    }
    head_->headers.add(std::string_view(name.data(), name.size()), std::string(value));
    if (field == beast_http::field::host) ++framing_.hosts;
    if (field == beast_http::field::expect) {
      framing_.expects_continue = beast::iequals(value, "100-continue");
    }
    if (field == beast_http::field::transfer_encoding) {
      framing_.chunked = beast::iequals(value, "chunked");
      if (!framing_.chunked) error = beast_http::error::bad_transfer_encoding;
    }
  }

  void on_header_impl(ErrorCode&) override {}

  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {
    in_body_ = true;
  }

  std::size_t on_body_impl(beast::string_view body, ErrorCode&) override {
    return body.size();
  }

  void on_chunk_header_impl(std::uint64_t, beast::string_view, ErrorCode&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body,
                                 ErrorCode&) override {
    const std::size_t size = std::min(body.size(), output_.size());
    std::memcpy(output_.data(), body.data(), size);
    output_ = output_.subspan(size);
    return size;
  }

  void on_finish_impl(ErrorCode&) override {}
  void on_response_impl(int, beast::string_view, int, ErrorCode&) override {}

  api::RequestHead* head_;
  const std::size_t fields_max_;
  Framing framing_;
  bool in_body_ = false;
  std::span<std::byte> output_;
};

}  // namespace

class RequestParser::Impl {
 public:
  explicit Impl(const Limits& limits)
      : head_size_bytes_max_(limits.head_size_bytes_max),
        fields_max_(limits.head_fields_max) {
    reset();
  }

  HeadResult parse_head(std::string_view input) {
    const std::size_t blank = std::min(input.find_first_not_of("\r\n"), input.size());
    const std::string_view text = input.substr(blank);
    if (!text.empty() && !is_token_char(text.front()))
      return refused(400, "not a HTTP request");

    const std::size_t end = text.find(kEndOfHead, searched_);
    const bool found = end != std::string_view::npos;
    if (blank + (found ? end + kEndOfHead.size() : text.size()) > head_size_bytes_max_) {
      return refused(431, "the request's head is too large");
    }
    if (!found) {
      searched_ = text.size() - std::min(text.size(), kEndOfHead.size() - 1);
      return {};
    }
    return parse_whole_head(text.substr(0, end + kEndOfHead.size()), blank);
  }

  Decoded decode_chunks(std::string_view input, std::span<std::byte> output) {
    Decoded decoded;
    parser_->output(output);
    while (!parser_->is_done()) {
      const std::string_view rest = input.substr(decoded.taken);
      if (rest.empty()) break;
      ErrorCode error;
      const std::size_t taken =
          parser_->put(boost::asio::const_buffer(rest.data(), rest.size()), error);
      decoded.taken += taken;
      if (error == beast_http::error::need_more) break;
      if (error) {
        decoded.state = Decoded::malformed;
        break;
      }
      if (taken == 0) break;
    }
    decoded.made = output.size() - parser_->rest_of_output().size();
    if (decoded.state == Decoded::more && parser_->is_done()) decoded.state = Decoded::end;
    return decoded;
  }

  void reset() {
    head = api::RequestHead{};
    parser_.emplace(&head, fields_max_);
    searched_ = 0;
  }

  const Parser& parser() const { return *parser_; }

  api::RequestHead head;

 private:
  static HeadResult refused(int status, std::string_view detail) {
    return {HeadResult::refused, 0, status, detail};
  }

  HeadResult parse_whole_head(std::string_view text, std::size_t blank) {
    parser_->header_limit(static_cast<std::uint32_t>(text.size() + 1));
    ErrorCode error;
    parser_->put(boost::asio::const_buffer(text.data(), text.size()), error);
    if (error == beast_http::error::header_limit) {
      return refused(431, "the request has too many header fields");
    }
    const Framing& framing = parser_->framing();
    const bool has_length = head.headers.find("Content-Length").has_value();
    if (error == beast_http::error::bad_transfer_encoding && !has_length &&
        !framing.chunked) {
      return refused(501, "the only transfer coding that is understood is chunked");
    }
    if (error == beast_http::error::bad_version) {
      return refused(400, "the HTTP version is neither 1.1 nor 1.0");
    }
    if (error || !parser_->is_header_done())
      return refused(400, "the request's head is malformed");

    if (framing.chunked && (framing.version < 11 || has_length)) {
      return refused(400, "the request's length is ambiguous");
    }
    if (framing.hosts > 1 || (framing.hosts == 0 && framing.version >= 11)) {
      return refused(400, "the request must have one Host header");
    }
    if (const auto length = parser_->content_length()) head.content_length = *length;
    head.has_body = framing.chunked || head.content_length.value_or(0) > 0;
    return {HeadResult::complete, blank + text.size(), 0, {}};
  }

  const std::size_t head_size_bytes_max_;
  const std::size_t fields_max_;
  std::optional<Parser> parser_;
  std::size_t searched_ = 0;
};

RequestParser::RequestParser(const Limits& limits)
    : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::~RequestParser() = default;

RequestParser::HeadResult RequestParser::parse_head(std::string_view input) {
  return impl_->parse_head(input);
}

RequestParser::Decoded RequestParser::decode_chunks(std::string_view input,
                                                    std::span<std::byte> output) {
  return impl_->decode_chunks(input, output);
}

void RequestParser::reset() { impl_->reset(); }

const api::RequestHead& RequestParser::head() const { return impl_->head; }
api::RequestHead& RequestParser::head() { return impl_->head; }

bool RequestParser::keeps_alive() const {
  return impl_->parser().is_header_done() && impl_->parser().keep_alive();
}
bool RequestParser::is_http_1_0() const { return impl_->parser().framing().version == 10; }
bool RequestParser::is_chunked() const { return impl_->parser().framing().chunked; }
bool RequestParser::expects_continue() const {
  return impl_->parser().framing().expects_continue && !is_http_1_0();
}

}  // namespace mendel::registry::http
