#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mendel {

// Why something failed, named by what the caller can do about it. The list is closed:
// the server renders a code as an HTTP problem, the command as an exit status, and both
// switch over it without a default.
enum class ErrorCode {
  invalid_argument,     // the request is malformed: change it
  unprocessable,        // well-formed, but it contradicts itself or what is stored
  too_large,            // over a limit: send less
  out_of_range,         // a byte range that the thing does not have
  unauthenticated,      // no token, or one that is not valid (any more)
  permission_denied,    // known and readable, but not to be changed by this caller
  not_found,            // absent, or not to be seen by this caller
  gone,                 // its bytes were purged for good: nobody will get them again
  already_exists,       // the name is taken, or something still depends on it
  failed_precondition,  // the caller's If-Match no longer holds: read again
  aborted,              // a conflicting change came first: repeat the whole operation
  resource_exhausted,   // a limit per time or per caller: slow down
  out_of_space,         // the medium is full: an operator must act
  cancelled,            // the caller, or a shutdown, stopped it
  deadline_exceeded,    // it took too long: it may or may not have happened
  unavailable,          // a part is away: try again
  data_loss,            // stored bytes are damaged
  internal,             // a bug or a misconfiguration: read the log
};

// "not-found" and so on: the last part of a problem's type, and what clients switch on.
std::string_view wire_name(ErrorCode code);
std::optional<ErrorCode> parse_error_code(std::string_view wire_name);

// One broken rule in a document, located by its JSON pointer (RFC 6901).
struct FieldError {
  std::string pointer;
  std::string detail;
};

// The one exception that crosses module boundaries. The message says what was attempted,
// on what, and the cause.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, std::vector<FieldError> fields = {})
      : std::runtime_error(message), code_(code), fields_(std::move(fields)) {}

  ErrorCode code() const { return code_; }
  const std::vector<FieldError>& fields() const { return fields_; }

 private:
  ErrorCode code_;
  std::vector<FieldError> fields_;
};

// Translates a foreign exception at the boundary file of its library.
[[noreturn]] void fail(ErrorCode code, std::string_view doing, const std::exception& cause);

}  // namespace mendel
