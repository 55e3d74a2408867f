#include "registry/api/router.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "registry/api/problem.h"
#include "registry/api/target.h"

namespace mendel::registry::api {

namespace {

// A log line is one line, whatever a message quotes.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' '; }, ' ');
  std::ranges::replace(text, '"', '\'');
  return text;
}

bool has_word(std::string_view words, std::string_view word) {
  for (;;) {
    const auto end = words.find(' ');
    if (words.substr(0, end) == word) return !word.empty();
    if (end == std::string_view::npos) return false;
    words.remove_prefix(end + 1);
  }
}

// Once its lease is over an attempt can do nothing, not even read.
void require_use_of_attempt(const Route& route, const JobAttempt& attempt) {
  if (attempt.is_over && route.attempts != Attempts::ended) {
    throw Error(ErrorCode::already_exists,
                fmt::format("attempt {} of job {} is over; the job is {}", attempt.number,
                            attempt.job, attempt.job_state));
  }
  if (route.attempts == Attempts::refused) {
    throw Error(ErrorCode::permission_denied,
                "the token of a job's attempt is not for this");
  }
}

// A token never takes away what anybody may do without one.
bool records_only(const Caller& caller) {
  return !caller.is_anonymous() && caller.scopes.has(Scope::kpi) &&
         !caller.scopes.has(Scope::read) && !caller.scopes.has(Scope::write) &&
         !caller.scopes.has(Scope::admin) && !caller.scopes.has(Scope::agent);
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace

// The head belongs to the server and outlives the exchange.
class Router::RoutedExchange : public Exchange {
 public:
  RoutedExchange(Router& router, const RequestHead& head);

  std::optional<Response> answer_from_memory() noexcept override;
  std::optional<Response> begin() noexcept override;

  Body body() const override {
    if (consumer_) return Body::stream;
    return route_->body == BodyLimit::none ? Body::none : Body::whole;
  }
  std::uint64_t body_size_max() const override {
    return static_cast<std::uint64_t>(route_->body);
  }
  std::optional<Response> consume(std::span<const std::byte> data) noexcept override;
  Response answer(std::string body) noexcept override;
  Response answer_again() noexcept override;

  Response refuse(int status, std::string_view detail) noexcept override {
    return problem_response(status, detail, head_.id);
  }
  void completed(const Completion& completion) noexcept override;

 private:
  void check_query() const;

  // The one place where errors are caught.
  template <class Step>
  std::optional<Response> guarded(Step step) const noexcept;
  Response failure(const Error& error) const noexcept;

  Router& router_;
  const RequestHead& head_;
  Request request_;
  const Route* route_ = nullptr;  // none: fault_ says why
  std::exception_ptr fault_;
  std::unique_ptr<BodyConsumer> consumer_;
};

Router::Router(std::span<const Route> routes, Services& services, Metrics& metrics)
    : routes_(routes), services_(services), metrics_(metrics) {}

void Router::authorise(const Route& route, Request& request) const {
  if (const auto authorization = request.header("Authorization")) {
    const auto token = token_of(*authorization);
    if (!token) {
      throw Error(
          ErrorCode::unauthenticated,
          "Authorization must be 'Bearer TOKEN', or Basic with the token as password");
    }
    request.caller_ = services_.access.authenticate(*token);
    if (request.caller_.attempt) require_use_of_attempt(route, *request.caller_.attempt);
  }
  const Caller& caller = request.caller_;
  if (const auto needed = role_of(route.policy)) {
    const Name ns = Name::parse("a namespace", request.path("ns"));
    const bool fetches = route.recorders == Recorders::allowed && *needed == Role::reader;
    request.standing_ = fetches ? services_.access.require_fetch(caller, ns)
                                : services_.access.require(caller, ns, *needed);
    return;
  }
  if (route.policy == Policy::open) return;
  if (caller.is_anonymous()) {
    throw Error(ErrorCode::unauthenticated, "this needs a token");
  }
  if (records_only(caller) && route.recorders == Recorders::refused) {
    throw Error(ErrorCode::permission_denied,
                "a token with the scope kpi alone records events and fetches models");
  }
  if (route.policy == Policy::admin && !caller.administers_server()) {
    throw Error(ErrorCode::permission_denied,
                "this needs a token of an administrator, with the scope 'admin' and not "
                "bound to a namespace");
  }
}

// The same for callers and namespaces that memory knows, reading only; in every other case
// a worker looks again, and says what is wrong.
bool Router::authorise_from_memory(const Route& route, Request& request) const {
  if (const auto authorization = request.header("Authorization")) {
    const auto token = token_of(*authorization);
    auto caller = token ? services_.access.remembered_caller(*token) : std::nullopt;
    if (!caller) return false;
    request.caller_ = std::move(*caller);
  }
  const Policy policy = route.policy;
  if (policy == Policy::open) return true;
  if (policy != Policy::ns_reader) return false;
  auto standing = services_.access.remembered_standing(
      request.caller_, Name::parse("a namespace", request.path("ns")));
  if (!standing || standing->role < Role::reader) return false;
  const Scopes scopes = request.caller_.scopes;
  const bool fetches = route.recorders == Recorders::allowed && scopes.has(Scope::kpi);
  if (!request.caller_.is_anonymous() && !scopes.has(Scope::read) && !fetches) return false;
  request.standing_ = std::move(*standing);
  return true;
}

std::unique_ptr<Exchange> Router::open(const RequestHead& head) noexcept {
  return std::make_unique<RoutedExchange>(*this, head);
}

Router::RoutedExchange::RoutedExchange(Router& router, const RequestHead& head)
    : router_(router), head_(head) {
  request_.head_ = &head;
  request_.metrics_ = &router.metrics_;
  try {
    RouteTable::Found found = router.routes_.find(head.method, head.target);
    route_ = found.route;
    request_.path_ = std::move(found.path);
    request_.query_ = std::move(found.query);
  } catch (const std::exception&) {
    fault_ = std::current_exception();
  }
}

void Router::RoutedExchange::check_query() const {
  const std::string_view known = route_->query;
  for (const auto& [name, value] : request_.query_) {
    if (!has_word(known, name)) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("'{}' is not a query parameter of this route", name));
    }
  }
}

template <class Step>
std::optional<Response> Router::RoutedExchange::guarded(Step step) const noexcept {
  try {
    return step();
  } catch (const Error& error) {
    return failure(error);
  } catch (const RouteTable::MethodNotAllowed&) {
    Response response = problem_response(
        405, fmt::format("{} is not possible here", head_.method), head_.id);
    response.headers.set("Allow", router_.routes_.methods_at(head_.target));
    return response;
  } catch (const std::exception& bug) {
    return failure(Error(ErrorCode::internal, bug.what()));
  }
}

Response Router::RoutedExchange::failure(const Error& error) const noexcept {
  if (http_status(error.code()) >= 500) {
    spdlog::error("request={} method={} path={} error={} cause=\"{}\"", head_.id,
                  head_.method, path_of(head_.target), wire_name(error.code()),
                  one_line(error.what()));
  }
  return problem_response(error, head_.id);
}

std::optional<Response> Router::RoutedExchange::answer_from_memory() noexcept {
  const bool reads = head_.method == "GET" || head_.method == "HEAD";
  if (fault_ || head_.has_body || !reads || route_->handlers.from_memory == nullptr) {
    return std::nullopt;
  }
  try {
    check_query();
    if (!router_.authorise_from_memory(*route_, request_)) return std::nullopt;
    return route_->handlers.from_memory(request_, router_.services_);
  } catch (const std::exception&) {
    return std::nullopt;  // begin() meets the same fault, and reports it
  }
}

std::optional<Response> Router::RoutedExchange::begin() noexcept {
  return guarded([&]() -> std::optional<Response> {
    if (fault_) std::rethrow_exception(fault_);
    check_query();
    router_.authorise(*route_, request_);
    if (route_->handlers.upload != nullptr) {
      consumer_ = route_->handlers.upload(request_, router_.services_);
    }
    return std::nullopt;
  });
}

std::optional<Response> Router::RoutedExchange::consume(
    std::span<const std::byte> data) noexcept {
  return guarded([&]() -> std::optional<Response> {
    consumer_->consume(data);
    return std::nullopt;
  });
}

Response Router::RoutedExchange::answer(std::string body) noexcept {
  auto response = guarded([&]() -> std::optional<Response> {
    if (consumer_) return consumer_->finish();
    request_.body_ = std::move(body);
    return route_->handlers.answer(request_, router_.services_);
  });
  consumer_.reset();
  if (!response->wait) request_.body_ = {};
  return *std::move(response);
}

Response Router::RoutedExchange::answer_again() noexcept {
  return *guarded([&]() -> std::optional<Response> {
    router_.authorise(*route_, request_);
    return route_->handlers.answer(request_, router_.services_);
  });
}

// A request that no route takes is counted as such.
void Router::RoutedExchange::completed(const Completion& completion) noexcept {
  const std::string_view other = "other";
  router_.metrics_.request_completed(route_ ? route_->method : other,
                                     route_ ? route_->pattern : other, completion);
  const bool reads = head_.method == "GET" || head_.method == "HEAD";
  const auto level =
      reads && completion.status < 400 ? spdlog::level::debug : spdlog::level::info;
  if (!spdlog::should_log(level)) return;
  spdlog::log(level,
              "request={} method={} path={} status={} in={} out={} microseconds={}{}",
              head_.id, head_.method, path_of(head_.target), completion.status,
              completion.bytes_in, completion.bytes_out, completion.duration.count(),
              completion.aborted ? " aborted" : "");
}

}  // namespace mendel::registry::api
