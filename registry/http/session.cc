// One connection: a head, an answer, the next head, on the I/O thread that accepted it.
//
// Whatever may block is a hop to a worker. While a worker consumes one buffer of an upload
// the next is filled from the socket, and while one buffer of a download is sent the next
// is made.

#include "registry/http/session.h"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <optional>
#include <span>
#include <utility>

#include "registry/http/answer_sender.h"
#include "registry/http/body_reader.h"
#include "registry/http/connection.h"
#include "registry/http/hop.h"
#include "registry/http/input_buffer.h"
#include "registry/http/parking.h"
#include "registry/http/request_parser.h"
#include "storage/base/uuid.h"

namespace mendel::registry::http {

namespace {

using api::Exchange;
using api::Response;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr int kClientClosedRequest = 499;

class Session {
 public:
  Session(Loop& loop, Socket socket, net::ssl::context* tls, Counted counted)
      : loop_(loop),
        counted_(std::move(counted)),
        connection_(make_connection(loop, std::move(socket), tls)),
        parser_(loop.limits),
        hop_(loop),
        body_(loop.limits, *connection_, input_, parser_),
        sender_(loop, *connection_, parser_, hop_) {}

  Task<> run();
  Task<> turn_away();

 private:
  struct Arrival {
    enum { nothing, request, refused } what = nothing;
    int status = 0;           // when refused: what to answer, and why
    std::string_view detail;  //
  };

  Task<Arrival> read_head();
  Task<bool> serve(Arrival arrival);
  Task<std::optional<Response>> ask_application();
  Task<std::optional<Response>> hold(Response response);
  Task<Received> receive_body();
  Task<Received> receive_whole();
  Task<Received> receive_stream();
  Task<> end_request();

  void start_request();
  bool worker_answered() const { return !hop_.is_away() && served_.answer; }
  std::optional<Response> refusal_of(Received received);
  Response refuse(int status, std::string_view detail) {
    return refusal(*served_.exchange, status, detail);
  }

  // On a worker.
  void begin();
  void consume();
  void answer();
  void answer_again();

  Loop& loop_;
  const Counted counted_;
  const std::unique_ptr<Connection> connection_;
  InputBuffer input_;
  RequestParser parser_;
  Hop hop_;
  BodyReader body_;
  AnswerSender sender_;
  bool keeps_alive_ = true;

  // Of one request; start_request() makes them new.
  struct Served {
    SteadyClock::time_point started;
    api::Completion completion;
    std::unique_ptr<Exchange> exchange;
    bool is_at_work = false;  // the exchange may hold what only a worker lets go of

    std::string whole_body;
    BodyMemory::Claim whole_body_claim;
    std::array<BodyBuffer, 2> upload_buffers;
    std::span<const std::byte> upload_part;  // for the worker, which empties it

    std::optional<Response> answer;  // by the worker
  };
  Served served_;
};

Task<> Session::run() {
  const bool is_ready = co_await connection_->handshake();
  if (!is_ready) co_return;
  for (;;) {
    const Arrival arrival = co_await read_head();
    if (arrival.what == Arrival::nothing) co_return;
    const bool was_sent = co_await serve(arrival);
    if (!was_sent) co_return;
    if (!keeps_alive_) break;
  }
  co_await connection_->linger();
}

Task<> Session::turn_away() {
  start_request();
  const Arrival refused{Arrival::refused, 503, "too many connections"};
  const bool was_sent = co_await serve(refused);
  if (was_sent) co_await connection_->linger();
}

Task<Session::Arrival> Session::read_head() {
  parser_.reset();
  input_.shrink();
  bool has_started = false;
  for (;;) {
    if (!input_.empty()) {
      if (!std::exchange(has_started, true)) start_request();
      const auto result = parser_.parse_head(input_.unread());
      if (result.state == result.complete) {
        input_.take(result.taken);
        co_return Arrival{Arrival::request, 0, {}};
      }
      if (result.state == result.refused) {
        co_return Arrival{Arrival::refused, result.status, result.detail};
      }
    } else if (loop_.is_draining()) {
      co_return Arrival{};
    }

    const auto until = has_started ? served_.started + loop_.limits.head_timeout
                                   : SteadyClock::now() + loop_.limits.idle_timeout;
    const std::span<char> room = input_.room(1);
    connection_->is_idle = !has_started;
    const std::size_t size = co_await connection_->read_some(room, until);
    connection_->is_idle = false;
    input_.received(size);
    if (size == 0 && has_started && connection_->timed_out()) {
      co_return Arrival{Arrival::refused, 408, "the request's head did not come"};
    }
    if (size == 0) co_return Arrival{};
  }
}

void Session::start_request() {
  served_ = Served{};
  served_.started = SteadyClock::now();
  served_.completion.status = kClientClosedRequest;
  body_.start();
}

Task<bool> Session::serve(Arrival arrival) {
  api::RequestHead& head = parser_.head();
  head.id = make_uuid_v7(
      std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()));
  head.peer = connection_->peer();
  served_.exchange = loop_.application.open(head);

  std::optional<Response> response;
  if (arrival.what == Arrival::refused) {
    keeps_alive_ = false;
    response = refuse(arrival.status, arrival.detail);
  } else {
    keeps_alive_ = parser_.keeps_alive();
    body_.start();
    response = served_.exchange->answer_from_memory();
    if (!response) response = co_await ask_application();
    if (response && response->wait) response = co_await hold(std::move(*response));
  }

  bool was_sent = false;
  if (response) {
    body_.drop_arrived();
    keeps_alive_ = keeps_alive_ && body_.has_ended();
    was_sent = co_await sender_.send(std::move(*response), *served_.exchange, keeps_alive_,
                                     served_.completion);
  }
  served_.completion.aborted = !was_sent;
  co_await end_request();
  if (!was_sent) connection_->reset();
  co_return was_sent;
}

Task<> Session::end_request() {
  api::Completion& completion = served_.completion;
  completion.bytes_in = body_.size_bytes();
  completion.duration = std::chrono::duration_cast<std::chrono::microseconds>(
      SteadyClock::now() - served_.started);
  served_.exchange->completed(completion);

  if (served_.is_at_work || sender_.is_unfinished()) {
    hop_.resume([this] {
      served_.exchange.reset();
      sender_.drop();
    });
    co_await hop_.finished();
  }
  served_ = Served{};
}

Task<std::optional<Response>> Session::ask_application() {
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

// Nothing for a client that has gone: what there is to say is for others.
Task<std::optional<Response>> Session::hold(Response response) {
  const auto until = SteadyClock::now() + response.wait->time_max;
  while (response.wait) {
    Parking parking(loop_);
    const api::Waiting waiting = response.wait->begin(parking.waker());
    const bool was_woken = co_await parking.wait(until);
    if (connection_->has_peer_gone()) {
      if (was_woken) waiting.pass_on();
      co_return std::nullopt;
    }
    if (!was_woken) break;

    hop_.resume([this] { answer_again(); });
    co_await hop_.finished();
    response = std::move(*std::exchange(served_.answer, std::nullopt));
  }
  co_return response;
}

std::optional<Response> Session::refusal_of(Received received) {
  switch (received) {
    case Received::timed_out: return refuse(408, "the request's body did not come");
    case Received::malformed:
      return refuse(400, "the request's body is not well-formed chunks");
    case Received::too_large:
      return refuse(413, "the request's body is larger than " +
                             std::to_string(served_.exchange->body_size_max()) + " bytes");
    case Received::no_memory: return refuse(503, "too many bodies are in flight");
    case Received::gone:
    case Received::whole:
    case Received::more: break;
  }
  return std::nullopt;
}

void Session::begin() {
  served_.answer = served_.exchange->begin();
  served_.is_at_work = !served_.answer;
}

void Session::consume() {
  if (served_.upload_part.empty()) return;
  served_.answer = served_.exchange->consume(std::exchange(served_.upload_part, {}));
}

void Session::answer() {
  if (served_.answer) return;
  served_.answer = served_.exchange->answer(std::move(served_.whole_body));
  served_.is_at_work = false;
  sender_.read_ahead(*served_.answer);
}

void Session::answer_again() {
  served_.answer = served_.exchange->answer_again();
  sender_.read_ahead(*served_.answer);
}

Task<Received> Session::receive_body() {
  const api::RequestHead& head = parser_.head();
  const Exchange::Body kind = served_.exchange->body();
  const bool is_wanted = kind != Exchange::Body::none;
  if (is_wanted && head.content_length.value_or(0) > served_.exchange->body_size_max()) {
    co_return Received::too_large;
  }
  if (parser_.expects_continue() && input_.empty()) {
    if (!is_wanted) co_return Received::whole;
    const bool was_told = co_await connection_->write_all(kContinue, {});
    if (!was_told) co_return Received::gone;
  }

  Received received = Received::whole;
  switch (kind) {
    case Exchange::Body::none: received = co_await body_.drop(); break;
    case Exchange::Body::whole: received = co_await receive_whole(); break;
    case Exchange::Body::stream: received = co_await receive_stream(); break;
  }
  co_return received;
}

// Grows with what arrives, not with what is declared.
Task<Received> Session::receive_whole() {
  std::string& body = served_.whole_body;
  served_.whole_body_claim = BodyMemory::Claim(loop_.body_memory);
  const std::size_t free_size = loop_.limits.body_buffer_size_bytes_min;
  for (;;) {
    const std::size_t size = body.size();
    const std::size_t room = std::max(size, free_size);
    if (size > 0 && !served_.whole_body_claim.grow(room)) co_return Received::no_memory;
    body.resize(size + room);
    const std::span<std::byte> rest{reinterpret_cast<std::byte*>(body.data()) + size, room};
    const BodyReader::Part filled = co_await body_.fill(rest);
    body.resize(size + filled.size);
    if (body.size() > served_.exchange->body_size_max()) co_return Received::too_large;
    if (filled.state != Received::more) co_return filled.state;
  }
}

// Leaves the last part to the hop that answers. Returns early when the worker has answered
// after an earlier part.
Task<Received> Session::receive_stream() {
  const Limits& limits = loop_.limits;
  const std::size_t wanted = std::min<std::uint64_t>(
      limits.body_buffer_size_bytes,
      parser_.head().content_length.value_or(limits.body_buffer_size_bytes));
  for (std::size_t turn = 0;; turn ^= 1) {
    BodyBuffer& buffer = served_.upload_buffers[turn];
    if (buffer.span().empty()) {
      buffer = BodyBuffer(loop_.body_memory, wanted, limits.body_buffer_size_bytes_min);
    }
    BodyReader::Part filled;
    while (filled.state == Received::more && filled.size < buffer.span().size()) {
      const std::span<std::byte> rest = buffer.span().subspan(filled.size);
      const BodyReader::Part part = co_await body_.read_some(rest);
      filled = {part.state, filled.size + part.size};
      if (worker_answered()) co_return filled.state;
    }
    co_await hop_.finished();
    if (served_.answer) co_return filled.state;
    if (body_.size_bytes() > served_.exchange->body_size_max())
      co_return Received::too_large;
    if (filled.state != Received::more && filled.state != Received::whole) {
      co_return filled.state;
    }
    served_.upload_part = buffer.span().first(filled.size);
    if (filled.state == Received::whole) co_return filled.state;
    hop_.resume([this] { consume(); });
  }
}

Task<> run_session(std::unique_ptr<Session> session) { co_await session->run(); }

Task<> turn_away_session(std::unique_ptr<Session> session) {
  co_await session->turn_away();
}

}  // namespace

void start_session(Loop& loop, Socket socket, net::ssl::context* tls, Counted counted) {
  auto session =
      std::make_unique<Session>(loop, std::move(socket), tls, std::move(counted));
  net::co_spawn(loop.context, run_session(std::move(session)), net::detached);
}

void turn_away(Loop& loop, Socket socket, Counted counted) {
  auto session =
      std::make_unique<Session>(loop, std::move(socket), nullptr, std::move(counted));
  net::co_spawn(loop.context, turn_away_session(std::move(session)), net::detached);
}

}  // namespace mendel::registry::http
