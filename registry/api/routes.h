#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "registry/api/message.h"
#include "registry/api/request.h"
#include "registry/services/caller.h"

namespace mendel::registry {
struct Services;
}

namespace mendel::registry::api {

// Who may call a route. There is no default: a row without a policy does not compile.
enum class Policy : std::uint8_t {
  open,           // anybody, token or not; the handler shows each caller what it may see
  authenticated,  // any valid token
  ns_reader,      // the role in the namespace that the path's {ns} names
  ns_writer,
  ns_maintainer,
  ns_owner,
  admin  // an administrator of the server
};

// The role that a policy asks for in the path's namespace; nullopt: none.
std::optional<Role> role_of(Policy policy);

// Takes the body of an upload, buffer by buffer, then answers. Errors are thrown.
class BodyConsumer {
 public:
  virtual ~BodyConsumer() = default;
  virtual void consume(std::span<const std::byte> data) = 0;
  virtual Response finish() = 0;
};

// Exactly one of answer and upload is set. from_memory, if set, is tried first, on the I/O
// thread: it neither blocks nor throws for a reason that answer would not also have.
struct Handlers {
  Response (*answer)(const Request&, Services&) = nullptr;
  std::unique_ptr<BodyConsumer> (*upload)(const Request&, Services&) = nullptr;
  std::optional<Response> (*from_memory)(const Request&, Services&) = nullptr;
};

// What a body may be: none, a JSON document, a large JSON document, or a stream.
enum class BodyLimit : std::uint64_t {
  none = 0,
  small = 1ull << 20,
  large = 64ull << 20,
  stream = 1ull << 50
};

// Whether the token of a job's attempt may be used on a route; ended: also once the attempt
// is over, so that what was done before can be told again.
enum class Attempts : std::uint8_t { refused, allowed, ended };

// Whether a token that has the scope kpi, and none of read, may be used on a route: to
// record what a model made, and to fetch the model.
enum class Recorders : std::uint8_t { refused, allowed };

struct Route {
  std::string_view method;
  std::string_view
      pattern;  // "/api/v1/namespaces/{ns}"; a last part {path...} takes the rest
  Policy policy;
  BodyLimit body;
  std::string_view query;  // the parameters it takes, separated by spaces
  Handlers handlers;
  Attempts attempts = Attempts::refused;
  Recorders recorders = Recorders::refused;
};

// Every route there is, in plain sight.
std::span<const Route> routes();

}  // namespace mendel::registry::api
