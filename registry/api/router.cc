#include "registry/api/router.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "registry/api/problem.h"
#include "registry/api/target.h"

namespace mendel::registry::api {

namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

bool is_variable(std::string_view part) { return part.starts_with('{'); }

std::string_view variable_name(std::string_view part) {
  part.remove_prefix(1);
  part.remove_suffix(part.ends_with("...}") ? 4 : 1);
  return part;
}

bool is_kind(std::string_view part) {
  return part == "models" || part == "datasets" || part == "environments";
}

std::optional<Role> role_of(Policy policy) {
  switch (policy) {
    case Policy::ns_reader: return Role::reader;
    case Policy::ns_writer: return Role::writer;
    case Policy::ns_maintainer: return Role::maintainer;
    case Policy::ns_owner: return Role::owner;
    case Policy::open:
    case Policy::authenticated:
    case Policy::admin: return std::nullopt;
  }
  return std::nullopt;
}

void check(const Route& route) {
  const bool answers = route.handlers.answer != nullptr;
  const bool uploads = route.handlers.upload != nullptr;
  const bool has_ns = route.pattern.find("{ns}") != std::string_view::npos;
  const bool streams = route.body == BodyLimit::stream;
  if (answers == uploads || uploads != streams || (role_of(route.policy) && !has_ns)) {
    throw Error(ErrorCode::internal,
                fmt::format("the route {} {} makes no sense", route.method, route.pattern));
  }
}

Error not_found(std::string_view path) {
  return {ErrorCode::not_found, fmt::format("there is nothing at {}", path)};
}

// A log line is one line, whatever a message quotes.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' '; }, ' ');
  std::ranges::replace(text, '"', '\'');
  return text;
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace

// One request after its route was found. The head belongs to the server and outlives it.
class Router::RoutedExchange : public Exchange {
 public:
  RoutedExchange(Router& router, const RequestHead& head, Match match)
      : router_(router), head_(head), match_(std::move(match)) {
    match_.request.head_ = &head_;
    if (match_.route->handlers.upload != nullptr) {
      consumer_ = match_.route->handlers.upload(match_.request, router_.services_);
    }
  }

  Body body() const override {
    if (consumer_) return Body::stream;
    return match_.route->body == BodyLimit::none ? Body::none : Body::whole;
  }

  std::uint64_t body_size_max() const override {
    return static_cast<std::uint64_t>(match_.route->body);
  }

  std::optional<Response> consume(std::span<const std::byte> data) noexcept override {
    return router_.guarded(head_, [&]() -> std::optional<Response> {
      consumer_->consume(data);
      return std::nullopt;
    });
  }

  Response answer(std::string body) noexcept override {
    return *router_.guarded(head_, [&]() -> std::optional<Response> {
      if (consumer_) return consumer_->finish();
      match_.request.body_ = std::move(body);
      return match_.route->handlers.answer(match_.request, router_.services_);
    });
  }

 private:
  Router& router_;
  const RequestHead& head_;
  Match match_;
  std::unique_ptr<BodyConsumer> consumer_;
};

Router::Router(std::span<const Route> routes, Services& services, Metrics& metrics)
    : services_(services), metrics_(metrics) {
  for (const Route& route : routes) {
    check(route);
    CompiledRoute compiled{&route, split(route.pattern.substr(1), '/')};
    compiled.takes_rest =
        !compiled.parts.empty() && compiled.parts.back().ends_with("...}");
    for (const CompiledRoute& other : routes_) {
      if (other.route->method == route.method && other.route->pattern == route.pattern) {
        throw Error(ErrorCode::internal, fmt::format("the route {} {} is there twice",
                                                     route.method, route.pattern));
      }
    }
    routes_.push_back(std::move(compiled));
  }
}

template <class Step>
std::optional<Response> Router::guarded(const RequestHead& head, Step step) const noexcept {
  try {
    return step();
  } catch (const Error& error) {
    return failure(head, error);
  } catch (const std::exception& bug) {
    return failure(head, Error(ErrorCode::internal, bug.what()));
  }
}

Response Router::failure(const RequestHead& head, const Error& error) const noexcept {
  if (http_status(error.code()) >= 500) {
    spdlog::error("request={} method={} path={} error={} cause=\"{}\"", head.id,
                  head.method, path_of(head.target), wire_name(error.code()),
                  one_line(error.what()));
  }
  return problem_response(error, head.id);
}

bool Router::matches(const CompiledRoute& candidate,
                     const std::vector<std::string>& parts) {
  const auto& pattern = candidate.parts;
  const bool fits = candidate.takes_rest ? parts.size() >= pattern.size()
                                         : parts.size() == pattern.size();
  if (!fits) return false;
  const std::size_t fixed = candidate.takes_rest ? pattern.size() - 1 : pattern.size();
  for (std::size_t i = 0; i < fixed; ++i) {
    if (pattern[i] == "{kind}"    ? !is_kind(parts[i])
        : is_variable(pattern[i]) ? parts[i].empty()
                                  : pattern[i] != parts[i]) {
      return false;
    }
  }
  return true;
}

void Router::name_parts(const CompiledRoute& route, std::vector<std::string> parts,
                        Request& request) {
  for (std::size_t i = 0; i < route.parts.size(); ++i) {
    if (!is_variable(route.parts[i])) continue;
    std::string value = std::move(parts[i]);
    if (route.takes_rest && i + 1 == route.parts.size()) {
      for (std::size_t rest = i + 1; rest < parts.size(); ++rest)
        value += "/" + parts[rest];
    }
    request.path_.emplace_back(variable_name(route.parts[i]), std::move(value));
  }
}

Router::Match Router::get_route(const RequestHead& head) const {
  Target target = parse_target(head.target);
  const CompiledRoute* other_method = nullptr;
  for (const std::string_view method :
       {std::string_view(head.method), std::string_view("GET")}) {
    for (const CompiledRoute& candidate : routes_) {
      if (!matches(candidate, target.parts)) continue;
      if (candidate.route->method != method) {
        other_method = &candidate;
        continue;
      }
      Match match{candidate.route, {}};
      match.request.head_ = &head;
      match.request.metrics_ = &metrics_;
      name_parts(candidate, std::move(target.parts), match.request);
      match.request.query_ = std::move(target.query);
      return match;
    }
    if (head.method != "HEAD") break;  // HEAD is answered as GET is
  }
  if (other_method != nullptr) throw MethodNotAllowed{};
  throw not_found(path_of(head.target));
}

std::string Router::methods_at(std::string_view target) const {
  const Target parsed = parse_target(target);
  std::string methods;
  for (const CompiledRoute& candidate : routes_) {
    if (!matches(candidate, parsed.parts)) continue;
    if (!methods.empty()) methods += ", ";
    methods += candidate.route->method;
    if (candidate.route->method == "GET") methods += ", HEAD";
  }
  return methods;
}

void Router::check_query(const Match& match) {
  const auto known = split(match.route->query, ' ');
  for (const auto& [name, value] : match.request.query_) {
    if (std::ranges::find(known, name) == known.end()) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("'{}' is not a query parameter of this route", name));
    }
  }
}

void Router::authorise(Match& match) const {
  Request& request = match.request;
  if (const auto authorization = request.header("Authorization")) {
    const auto token = token_of(*authorization);
    if (!token) {
      throw Error(
          ErrorCode::unauthenticated,
          "Authorization must be 'Bearer TOKEN', or Basic with the token as password");
    }
    request.caller_ = services_.access.authenticate(*token);
  }
  const Caller& caller = request.caller_;
  if (const auto needed = role_of(match.route->policy)) {
    const Name ns = Name::parse("a namespace", request.path("ns"));
    request.standing_.ns = services_.access.require(caller, ns, *needed);
    request.standing_.role = services_.access.standing(caller, ns).role;
    return;
  }
  if (match.route->policy == Policy::open) return;
  if (caller.is_anonymous()) {
    throw Error(ErrorCode::unauthenticated, "this needs a token");
  }
  if (match.route->policy == Policy::admin && !caller.administers_server()) {
    throw Error(ErrorCode::permission_denied,
                "this needs a token of an administrator, with the scope 'admin' and not "
                "bound to a namespace");
  }
}

// The same for callers and namespaces that memory knows, reading only; in every other case
// a worker looks again, and says what is wrong.
bool Router::authorise_from_memory(Match& match) const {
  Request& request = match.request;
  if (const auto authorization = request.header("Authorization")) {
    const auto token = token_of(*authorization);
    auto caller = token ? services_.access.remembered_caller(*token) : std::nullopt;
    if (!caller) return false;
    request.caller_ = std::move(*caller);
  }
  const Policy policy = match.route->policy;
  if (policy == Policy::open) return true;
  if (policy != Policy::ns_reader) return false;
  auto standing = services_.access.remembered_standing(
      request.caller_, Name::parse("a namespace", request.path("ns")));
  if (!standing || standing->role < Role::reader) return false;
  if (!request.caller_.is_anonymous() && !request.caller_.scopes.has(Scope::read))
    return false;
  request.standing_ = std::move(*standing);
  return true;
}

std::optional<Response> Router::answer_from_memory(const RequestHead& head) noexcept {
  if (head.has_body || (head.method != "GET" && head.method != "HEAD")) return std::nullopt;
  try {
    Match match = get_route(head);
    if (match.route->handlers.from_memory == nullptr) return std::nullopt;
    check_query(match);
    if (!authorise_from_memory(match)) return std::nullopt;
    return match.route->handlers.from_memory(match.request, services_);
  } catch (const std::exception&) {
    return std::nullopt;  // begin() meets the same fault, and reports it
  }
}

Application::Begun Router::begin(const RequestHead& head) noexcept {
  Begun begun;
  begun.refusal = guarded(head, [&]() -> std::optional<Response> {
    try {
      Match match = get_route(head);
      check_query(match);
      authorise(match);
      begun.exchange = std::make_unique<RoutedExchange>(*this, head, std::move(match));
      return std::nullopt;
    } catch (const MethodNotAllowed&) {
      Response response = problem_response(
          405, fmt::format("{} is not possible here", head.method), head.id);
      response.headers.set("Allow", methods_at(head.target));
      return response;
    }
  });
  return begun;
}

Response Router::refuse(const RequestHead& head, int status,
                        std::string_view detail) noexcept {
  return problem_response(status, detail, head.id);
}

void Router::completed(const RequestHead& head, const Completion& completion) noexcept {
  std::string_view pattern = "other";
  std::string_view method = "other";
  try {
    const Match match = get_route(head);
    pattern = match.route->pattern;
    method = match.route->method;
  } catch (const std::exception&) {
    // A request that no route takes is counted as such.
  }
  metrics_.request_completed(method, pattern, completion);
  const bool reads = head.method == "GET" || head.method == "HEAD";
  const auto level =
      reads && completion.status < 400 ? spdlog::level::debug : spdlog::level::info;
  spdlog::log(level,
              "request={} method={} path={} status={} in={} out={} microseconds={}{}",
              head.id, head.method, path_of(head.target), completion.status,
              completion.bytes_in, completion.bytes_out, completion.duration.count(),
              completion.aborted ? " aborted" : "");
}

}  // namespace mendel::registry::api
