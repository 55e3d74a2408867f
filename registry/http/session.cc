// One connection: a head, an answer, the next head, on the I/O thread that accepted it.
//
// Whatever may block is a hop to a worker. While a worker consumes one buffer of an upload
// the next is filled from the socket, and while one buffer of a download is sent the next
// is made.

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "registry/http/connection.h"
#include "registry/http/download.h"
#include "registry/http/hop.h"
#include "registry/http/input_buffer.h"
#include "registry/http/request_parser.h"
#include "registry/http/response_head.h"
#include "storage/base/digest.h"
#include "storage/base/uuid.h"

namespace mendel::registry::http {

namespace {

using api::ByteStream;
using api::Exchange;
using api::Response;
using api::SharedBytes;
using TlsStream = net::ssl::stream<Socket>;
using SystemError = boost::system::error_code;

constexpr net::use_awaitable_t<Executor> kAwait;

constexpr std::size_t kInlineBodySizeBytesMax = 2 << 10;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr int kClientClosedRequest = 499;

std::string peer_text(const Socket& socket) {
  SystemError error;
  const net::ip::tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return "unknown";
  const net::ip::address address = peer.address();
  const std::string port = ":" + std::to_string(peer.port());
  if (address.is_v4()) return address.to_string() + port;
  if (address.to_v6().is_v4_mapped()) {
    return net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6()).to_string() + port;
  }
  return "[" + address.to_string() + "]" + port;
}

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

template <class Stream>
class Session final : public Connection {
 public:
  template <class... Tls>
  Session(Loop& loop, Counted counted, Socket socket, Tls&... tls)
      : loop_(loop),
        counted_(std::move(counted)),
        peer_(peer_text(socket)),
        stream_(std::move(socket), tls...),
        parser_(loop.limits),
        hop_(loop) {
    loop_.enter(*this);
  }
  ~Session() override { loop_.leave(*this); }

  Task<> run();
  Task<> turn_away();

  void expire() override {
    timed_out_ = true;
    SystemError ignored;
    socket().cancel(ignored);
  }

  void close() override {
    SystemError ignored;
    socket().close(ignored);
  }

 private:
  static constexpr bool kIsTls = std::is_same_v<Stream, TlsStream>;

  enum class Arrival { request, refused, nothing };
  enum class Received { more, whole, timed_out, gone, malformed, too_large, no_memory };
  struct Filled {
    Received state;
    std::size_t size;
  };

  Socket& socket() {
    if constexpr (kIsTls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  Task<bool> handshake();
  Task<Arrival> read_head();
  Task<bool> serve(Arrival arrival);
  Task<> linger();

  Task<std::optional<Response>> ask_application();
  Task<Received> receive_body();
  Task<Received> receive_whole();
  Task<Received> receive_stream();
  Task<Received> drop_body();
  Task<Filled> fill(std::span<std::byte> buffer);

  Task<bool> send(Response response);
  Task<bool> send_from_memory(std::string_view body);
  Task<bool> send_download(bool is_chunked);

  Task<std::size_t> read_some(std::span<char> buffer, SteadyClock::time_point until);
  Task<bool> write_all(std::string_view first, std::string_view second);

  void start_request();
  Filled take_arrived(std::span<std::byte> buffer);
  void drop_arrived_body();
  bool needs_download(const Response& response) const;
  bool write_head(const Response& response);
  Response refuse(int status, std::string_view detail);
  std::optional<Response> refusal_of(Received received);

  // On a worker.
  void begin();
  void consume();
  void answer();
  void start_download(ByteStream stream);
  void read_download();

  Loop& loop_;
  const Counted counted_;
  const std::string peer_;
  Stream stream_;
  InputBuffer input_;
  RequestParser parser_;
  Hop hop_;
  std::string head_text_;
  bool timed_out_ = false;
  bool keeps_alive_ = true;
  RequestParser::HeadResult refusal_;

  // Of one request; start_request() makes them new.
  struct Served {
    SteadyClock::time_point started;
    api::Completion completion;
    std::uint64_t body_bytes_left = 0;  // of a body with Content-Length
    bool body_ended = true;             // nothing of it is left to be read

    std::unique_ptr<Exchange> exchange;
    Exchange::Body body_kind = Exchange::Body::none;
    std::uint64_t body_size_max = 0;

    std::string whole_body;
    BodyMemory::Claim whole_body_claim;
    std::array<BodyBuffer, 2> upload_buffers;
    std::span<const std::byte> upload_part;  // for the worker, which empties it

    std::optional<Response> answer;
    std::unique_ptr<Download> download;
    std::optional<int> download_failure;  // the status that tells of it
  };
  Served served_;
};

template <class Stream>
Task<> Session<Stream>::run() {
  const bool is_ready = co_await handshake();
  if (!is_ready) co_return;
  for (;;) {
    const Arrival arrival = co_await read_head();
    if (arrival == Arrival::nothing) co_return;
    const bool was_sent = co_await serve(arrival);
    if (!was_sent) co_return;
    if (!keeps_alive_) break;
  }
  co_await linger();
}

template <class Stream>
Task<> Session<Stream>::turn_away() {
  refusal_ = {RequestParser::HeadResult::refused, 0, 503, "too many connections"};
  start_request();
  const bool was_sent = co_await serve(Arrival::refused);
  if (was_sent) co_await linger();
}

template <class Stream>
Task<bool> Session<Stream>::handshake() {
  if constexpr (kIsTls) {
    SystemError error;
    auto token = net::redirect_error(kAwait, error);
    deadline = SteadyClock::now() + loop_.limits.handshake_timeout;
    co_await stream_.async_handshake(net::ssl::stream_base::server, token);
    deadline = SteadyClock::time_point::max();
    co_return !error;
  }
  co_return true;
}

template <class Stream>
Task<typename Session<Stream>::Arrival> Session<Stream>::read_head() {
  parser_.reset();
  input_.shrink();
  bool has_started = false;
  for (;;) {
    if (!input_.empty()) {
      if (!std::exchange(has_started, true)) start_request();
      const auto result = parser_.parse_head(input_.unread());
      if (result.state == result.complete) {
        input_.take(result.taken);
        co_return Arrival::request;
      }
      if (result.state == result.refused) {
        refusal_ = result;
        co_return Arrival::refused;
      }
    } else if (loop_.is_draining()) {
      co_return Arrival::nothing;
    }

    const auto until = has_started ? served_.started + loop_.limits.head_timeout
                                   : SteadyClock::now() + loop_.limits.idle_timeout;
    is_idle = !has_started;
    const std::size_t size = co_await read_some(input_.room(1), until);
    is_idle = false;
    input_.received(size);
    if (size == 0 && has_started && timed_out_) {
      refusal_ = {RequestParser::HeadResult::refused, 0, 408,
                  "the request's head did not come"};
      co_return Arrival::refused;
    }
    if (size == 0) co_return Arrival::nothing;
  }
}

template <class Stream>
void Session<Stream>::start_request() {
  served_ = Served{};
  served_.started = SteadyClock::now();
  served_.completion.status = kClientClosedRequest;
}

template <class Stream>
Task<bool> Session<Stream>::serve(Arrival arrival) {
  api::RequestHead& head = parser_.head();
  head.id = make_uuid_v7(
      std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()));
  head.peer = peer_;

  std::optional<Response> response;
  if (arrival == Arrival::refused) {
    keeps_alive_ = false;
    response = refuse(refusal_.status, refusal_.detail);
  } else {
    keeps_alive_ = parser_.keeps_alive();
    served_.body_ended = !head.has_body;
    served_.body_bytes_left = head.content_length.value_or(0);
    response = loop_.application.answer_from_memory(head);
    if (!response) response = co_await ask_application();
  }

  bool was_sent = false;
  if (response) was_sent = co_await send(std::move(*response));

  api::Completion& completion = served_.completion;
  completion.duration = std::chrono::duration_cast<std::chrono::microseconds>(
      SteadyClock::now() - served_.started);
  completion.aborted = !was_sent;
  loop_.application.completed(head, completion);

  if (served_.exchange || served_.download) {
    hop_.resume([this] {
      served_.exchange.reset();
      served_.download.reset();
    });
    co_await hop_.finished();
  }
  served_ = Served{};

  if (!was_sent) {
    SystemError ignored;
    socket().set_option(net::socket_base::linger(true, 0), ignored);
    close();
  }
  co_return was_sent;
}

// The end of a connection that was answered: the peer reads the answer before it learns
// that what it still sends is not wanted.
template <class Stream>
Task<> Session<Stream>::linger() {
  SystemError error;
  auto token = net::redirect_error(kAwait, error);
  deadline = SteadyClock::now() + loop_.limits.linger_timeout;
  const auto until = deadline;
  if constexpr (kIsTls) co_await stream_.async_shutdown(token);
  socket().shutdown(net::socket_base::shutdown_send, error);

  input_ = InputBuffer();
  const std::span<char> room = input_.room(1);
  std::size_t dropped = 0;
  error = {};
  while (!error && dropped < loop_.limits.dropped_bytes_max) {
    deadline = until;
    dropped +=
        co_await socket().async_read_some(net::buffer(room.data(), room.size()), token);
  }
}

template <class Stream>
Response Session<Stream>::refuse(int status, std::string_view detail) {
  Response response = loop_.application.refuse(parser_.head(), status, detail);
  if (status == 503 && !response.headers.find("Retry-After")) {
    response.headers.set("Retry-After", "1");
  }
  return response;
}

template <class Stream>
Task<std::optional<Response>> Session<Stream>::ask_application() {
  const bool has_body = parser_.head().has_body;
  const bool was_taken = has_body ? hop_.start([this] { begin(); }) : hop_.start([this] {
    begin();
    answer();
  });
  if (!was_taken) co_return refuse(503, "too many requests are waiting");
  co_await hop_.finished();
  if (served_.answer) co_return std::move(served_.answer);

  const Received received = co_await receive_body();
  if (served_.answer) co_return std::move(served_.answer);
  if (received != Received::whole) co_return refusal_of(received);

  hop_.resume([this] {
    consume();
    answer();
  });
  co_await hop_.finished();
  co_return std::move(served_.answer);
}

template <class Stream>
std::optional<Response> Session<Stream>::refusal_of(Received received) {
  switch (received) {
    case Received::timed_out: return refuse(408, "the request's body did not come");
    case Received::malformed:
      return refuse(400, "the request's body is not well-formed chunks");
    case Received::too_large:
      return refuse(413, "the request's body is larger than " +
                             std::to_string(served_.body_size_max) + " bytes");
    case Received::no_memory: return refuse(503, "too many bodies are in flight");
    case Received::gone: return std::nullopt;
    case Received::whole:
    case Received::more: break;
  }
  return std::nullopt;
}

template <class Stream>
void Session<Stream>::begin() {
  auto begun = loop_.application.begin(parser_.head());
  served_.answer = std::move(begun.refusal);
  if (served_.answer) return;
  served_.exchange = std::move(begun.exchange);
  served_.body_kind = served_.exchange->body();
  served_.body_size_max = served_.exchange->body_size_max();
}

template <class Stream>
void Session<Stream>::consume() {
  if (served_.upload_part.empty()) return;
  served_.answer = served_.exchange->consume(std::exchange(served_.upload_part, {}));
}

template <class Stream>
void Session<Stream>::answer() {
  if (served_.answer) return;
  served_.answer = served_.exchange->answer(std::move(served_.whole_body));
  served_.exchange.reset();
  if (needs_download(*served_.answer)) {
    start_download(std::get<ByteStream>(std::move(served_.answer->body)));
  }
}

template <class Stream>
Task<typename Session<Stream>::Received> Session<Stream>::receive_body() {
  const api::RequestHead& head = parser_.head();
  const bool is_wanted = served_.body_kind != Exchange::Body::none;
  if (is_wanted && head.content_length.value_or(0) > served_.body_size_max) {
    co_return Received::too_large;
  }
  if (parser_.expects_continue() && input_.empty()) {
    if (!is_wanted) co_return Received::whole;
    const bool was_told = co_await write_all(kContinue, {});
    if (!was_told) co_return Received::gone;
  }

  Received received = Received::whole;
  switch (served_.body_kind) {
    case Exchange::Body::none: received = co_await drop_body(); break;
    case Exchange::Body::whole: received = co_await receive_whole(); break;
    case Exchange::Body::stream: received = co_await receive_stream(); break;
  }
  co_return received;
}

// Grows with what arrives, not with what is declared.
template <class Stream>
Task<typename Session<Stream>::Received> Session<Stream>::receive_whole() {
  std::string& body = served_.whole_body;
  served_.whole_body_claim = BodyMemory::Claim(loop_.body_memory);
  const std::size_t free_size = loop_.limits.body_buffer_size_bytes_min;
  for (;;) {
    const std::size_t size = body.size();
    const std::size_t room = std::max(size, free_size);
    if (size > 0 && !served_.whole_body_claim.grow(room)) co_return Received::no_memory;
    body.resize(size + room);
    const std::span<std::byte> rest{reinterpret_cast<std::byte*>(body.data()) + size, room};
    const Filled filled = co_await fill(rest);
    body.resize(size + filled.size);
    if (body.size() > served_.body_size_max) co_return Received::too_large;
    if (filled.state != Received::more) co_return filled.state;
  }
}

// Leaves the last part to the hop that answers.
template <class Stream>
Task<typename Session<Stream>::Received> Session<Stream>::receive_stream() {
  const Limits& limits = loop_.limits;
  const std::size_t wanted = std::min<std::uint64_t>(
      limits.body_buffer_size_bytes,
      parser_.head().content_length.value_or(limits.body_buffer_size_bytes));
  for (std::size_t turn = 0;; turn ^= 1) {
    BodyBuffer& buffer = served_.upload_buffers[turn];
    if (buffer.span().empty()) {
      buffer = BodyBuffer(loop_.body_memory, wanted, limits.body_buffer_size_bytes_min);
    }
    const Filled filled = co_await fill(buffer.span());
    co_await hop_.finished();
    if (served_.answer) co_return filled.state;
    if (served_.completion.bytes_in > served_.body_size_max) co_return Received::too_large;
    if (filled.state == Received::whole)
      served_.upload_part = buffer.span().first(filled.size);
    if (filled.state != Received::more) co_return filled.state;

    served_.upload_part = buffer.span().first(filled.size);
    hop_.resume([this] { consume(); });
  }
}

template <class Stream>
Task<typename Session<Stream>::Received> Session<Stream>::drop_body() {
  std::vector<std::byte> scratch(InputBuffer::kSizeBytesIdle);
  Received state = Received::more;
  while (state == Received::more) {
    if (served_.completion.bytes_in > loop_.limits.dropped_bytes_max)
      co_return Received::whole;
    const Filled filled = co_await fill(scratch);
    state = filled.state;
  }
  co_return state;
}

// Fills the buffer with the next bytes of the body. Returns before that only at the body's
// end, when it cannot go on, or when the worker answered meanwhile.
template <class Stream>
Task<typename Session<Stream>::Filled> Session<Stream>::fill(std::span<std::byte> buffer) {
  std::size_t size = 0;
  for (;;) {
    const Filled taken = take_arrived(buffer.subspan(size));
    size += taken.size;
    if (taken.state != Received::more) co_return Filled{taken.state, size};
    const bool was_answered = !hop_.is_away() && served_.answer;
    if (size == buffer.size() || was_answered) co_return Filled{Received::more, size};

    const auto until = SteadyClock::now() + loop_.limits.receive_timeout;
    std::size_t came = 0;
    if (parser_.is_chunked()) {
      came =
          co_await read_some(input_.room(loop_.limits.body_buffer_size_bytes_min), until);
      input_.received(came);
    } else {
      const std::size_t room =
          std::min<std::uint64_t>(buffer.size() - size, served_.body_bytes_left);
      const std::span<char> rest{reinterpret_cast<char*>(buffer.data()) + size, room};
      came = co_await read_some(rest, until);
      size += came;
      served_.body_bytes_left -= came;
      served_.completion.bytes_in += came;
    }
    if (came == 0)
      co_return Filled{timed_out_ ? Received::timed_out : Received::gone, size};
  }
}

// What of the body has been received already.
template <class Stream>
typename Session<Stream>::Filled Session<Stream>::take_arrived(
    std::span<std::byte> buffer) {
  const std::string_view arrived = input_.unread();
  std::size_t made = 0;
  if (parser_.is_chunked()) {
    const auto decoded = parser_.decode_chunks(arrived, buffer);
    input_.take(decoded.taken);
    made = decoded.made;
    served_.body_ended = decoded.state == decoded.end;
    const bool is_stuck = decoded.taken == 0 && !buffer.empty() &&
                          arrived.size() > loop_.limits.head_size_bytes_max;
    if (decoded.state == decoded.malformed || is_stuck) return {Received::malformed, made};
  } else {
    made = std::min<std::uint64_t>(std::min(arrived.size(), buffer.size()),
                                   served_.body_bytes_left);
    std::copy_n(arrived.data(), made, reinterpret_cast<char*>(buffer.data()));
    input_.take(made);
    served_.body_bytes_left -= made;
    served_.body_ended = served_.body_bytes_left == 0;
  }
  served_.completion.bytes_in += made;
  return {served_.body_ended ? Received::whole : Received::more, made};
}

template <class Stream>
void Session<Stream>::drop_arrived_body() {
  std::array<std::byte, 4096> scratch;
  Filled taken{served_.body_ended ? Received::whole : Received::more, scratch.size()};
  while (taken.state == Received::more && taken.size > 0) taken = take_arrived(scratch);
}

template <class Stream>
bool Session<Stream>::needs_download(const Response& response) const {
  return std::holds_alternative<ByteStream>(response.body) &&
         may_have_body(response.status) && parser_.head().method != "HEAD";
}

template <class Stream>
Task<bool> Session<Stream>::send(Response response) {
  drop_arrived_body();
  if (needs_download(response) && !served_.download) {
    auto* const stream = &std::get<ByteStream>(response.body);
    hop_.resume([this, stream] { start_download(std::move(*stream)); });
    co_await hop_.finished();
  }
  if (served_.download_failure) {
    response = refuse(*served_.download_failure, "the answer's bytes could not be read");
  }
  const bool is_chunked = write_head(response);

  bool was_sent = false;
  if (needs_download(response)) {
    was_sent = co_await send_download(is_chunked);
  } else {
    was_sent = co_await send_from_memory(bytes_in_memory(response));
  }
  co_return was_sent;
}

// Decides how the body will end, and whether the connection goes on after it. Returns
// whether the body goes in chunks.
template <class Stream>
bool Session<Stream>::write_head(const Response& response) {
  const bool has_body = may_have_body(response.status);
  ResponseFraming framing;
  framing.content_length = body_size(response);
  framing.chunked = has_body && !framing.content_length && !parser_.is_http_1_0();
  const bool has_end = framing.content_length || framing.chunked || !has_body;
  if (!has_body && (response.status == 204 || framing.content_length == 0u)) {
    framing.content_length.reset();
  }

  keeps_alive_ = keeps_alive_ && has_end && served_.body_ended && !loop_.is_draining();
  if (!keeps_alive_) framing.connection = "close";
  if (keeps_alive_ && parser_.is_http_1_0()) framing.connection = "keep-alive";

  served_.completion.status = response.status;
  head_text_.clear();
  append_response_head(head_text_, response, framing, loop_.http_date(), parser_.head().id);
  return framing.chunked;
}

template <class Stream>
Task<bool> Session<Stream>::send_from_memory(std::string_view body) {
  if (parser_.head().method == "HEAD" || !may_have_body(served_.completion.status))
    body = {};
  served_.completion.bytes_out = body.size();
  if (body.size() <= kInlineBodySizeBytesMax) head_text_.append(std::exchange(body, {}));
  const bool was_sent = co_await write_all(head_text_, body);
  co_return was_sent;
}

// A chunk is its size in hexadecimal, CRLF, its bytes, CRLF; the last one has no bytes. The
// text between two chunks is written with the second.
template <class Stream>
Task<bool> Session<Stream>::send_download(bool is_chunked) {
  std::string_view end_of_chunk;
  for (bool is_over = false; !is_over;) {
    const std::string_view part = as_text(served_.download->part());
    is_over = served_.download->is_over();
    if (!is_over) hop_.resume([this] { read_download(); });

    if (is_chunked && !part.empty()) {
      head_text_.append(end_of_chunk);
      fmt::format_to(std::back_inserter(head_text_), "{:x}\r\n", part.size());
      end_of_chunk = "\r\n";
    }
    const bool was_sent = co_await write_all(head_text_, part);
    head_text_.clear();
    if (was_sent) served_.completion.bytes_out += part.size();
    co_await hop_.finished();
    if (!was_sent || served_.download_failure) co_return false;
  }
  if (!is_chunked) co_return true;
  head_text_.append(end_of_chunk).append("0\r\n\r\n");
  const bool was_ended = co_await write_all(head_text_, {});
  co_return was_ended;
}

template <class Stream>
void Session<Stream>::start_download(ByteStream stream) {
  served_.download =
      std::make_unique<Download>(std::move(stream), loop_.limits, loop_.body_memory);
  read_download();
}

template <class Stream>
void Session<Stream>::read_download() {
  try {
    served_.download->read_next();
  } catch (const Error& error) {
    spdlog::error("request {}: cannot read what it asked for: {}", parser_.head().id,
                  error.what());
    served_.download_failure = error.code() == ErrorCode::unavailable ? 503 : 500;
  } catch (const std::exception& bug) {
    spdlog::error("request {}: cannot read what it asked for: {}", parser_.head().id,
                  bug.what());
    served_.download_failure = 500;
  }
}

// 0: the peer has ended, the time is over, or the connection broke.
template <class Stream>
Task<std::size_t> Session<Stream>::read_some(std::span<char> buffer,
                                             SteadyClock::time_point until) {
  SystemError error;
  auto token = net::redirect_error(kAwait, error);
  timed_out_ = false;
  deadline = until;
  const std::size_t size =
      co_await stream_.async_read_some(net::buffer(buffer.data(), buffer.size()), token);
  deadline = SteadyClock::time_point::max();
  co_return error ? 0 : size;
}

template <class Stream>
Task<bool> Session<Stream>::write_all(std::string_view first, std::string_view second) {
  while (!first.empty() || !second.empty()) {
    const std::array<net::const_buffer, 2> buffers = {net::buffer(first),
                                                      net::buffer(second)};
    SystemError error;
    auto token = net::redirect_error(kAwait, error);
    deadline = SteadyClock::now() + loop_.limits.send_timeout;
    const std::size_t size = co_await stream_.async_write_some(buffers, token);
    deadline = SteadyClock::time_point::max();
    if (error) co_return false;

    const std::size_t of_first = std::min(size, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(size - of_first);
  }
  co_return true;
}

template <class Stream>
Task<> run_session(std::unique_ptr<Session<Stream>> session) {
  co_await session->run();
}

Task<> turn_away_session(std::unique_ptr<Session<Socket>> session) {
  co_await session->turn_away();
}

}  // namespace

void start_session(Loop& loop, Socket socket, net::ssl::context* tls, Counted counted) {
  if (tls) {
    auto session = std::make_unique<Session<TlsStream>>(loop, std::move(counted),
                                                        std::move(socket), *tls);
    net::co_spawn(loop.context, run_session(std::move(session)), net::detached);
  } else {
    auto session =
        std::make_unique<Session<Socket>>(loop, std::move(counted), std::move(socket));
    net::co_spawn(loop.context, run_session(std::move(session)), net::detached);
  }
}

void turn_away(Loop& loop, Socket socket, Counted counted) {
  auto session =
      std::make_unique<Session<Socket>>(loop, std::move(counted), std::move(socket));
  net::co_spawn(loop.context, turn_away_session(std::move(session)), net::detached);
}

}  // namespace mendel::registry::http
