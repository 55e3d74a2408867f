#include "storage/base/error.h"

#include <array>
#include <utility>

namespace mendel {

namespace {

constexpr std::array<std::pair<ErrorCode, std::string_view>, 18> kWireNames{{
    {ErrorCode::invalid_argument, "invalid-argument"},
    {ErrorCode::unprocessable, "unprocessable"},
    {ErrorCode::too_large, "too-large"},
    {ErrorCode::out_of_range, "out-of-range"},
    {ErrorCode::unauthenticated, "unauthenticated"},
    {ErrorCode::permission_denied, "permission-denied"},
    {ErrorCode::not_found, "not-found"},
    {ErrorCode::gone, "gone"},
    {ErrorCode::already_exists, "already-exists"},
    {ErrorCode::failed_precondition, "failed-precondition"},
    {ErrorCode::aborted, "aborted"},
    {ErrorCode::resource_exhausted, "resource-exhausted"},
    {ErrorCode::out_of_space, "out-of-space"},
    {ErrorCode::cancelled, "cancelled"},
    {ErrorCode::deadline_exceeded, "deadline-exceeded"},
    {ErrorCode::unavailable, "unavailable"},
    {ErrorCode::data_loss, "data-loss"},
    {ErrorCode::internal, "internal"},
}};

}  // namespace

std::string_view wire_name(ErrorCode code) {
  for (const auto& [known, name] : kWireNames) {
    if (known == code) return name;
  }
  return "internal";
}

std::optional<ErrorCode> parse_error_code(std::string_view wire_name) {
  for (const auto& [code, name] : kWireNames) {
    if (name == wire_name) return code;
  }
  return std::nullopt;
}

void fail(ErrorCode code, std::string_view doing, const std::exception& cause) {
  throw Error(code, std::string(doing) + ": " + cause.what());
}

}  // namespace mendel
