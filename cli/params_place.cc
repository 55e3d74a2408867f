#include "cli/params_place.h"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "storage/base/error.h"

namespace mendel::cli {

using nlohmann::json;

namespace {

constexpr std::uint64_t kExactIntegerMax = 1ull << 53;

std::string shortened(std::string_view text) {
  constexpr std::size_t kShownMax = 60;
  return text.size() <= kShownMax ? std::string(text)
                                  : std::string(text.substr(0, kShownMax)) + "…";
}

}  // namespace

void ParamsPlace::enter(std::string_view member) {
  std::string part;
  for (const char c : member) {
    if (c == '~') {
      part += "~0";
    } else if (c == '/') {
      part += "~1";
    } else {
      part += c;
    }
  }
  enter_part(std::move(part));
}

void ParamsPlace::enter(std::size_t index) { enter_part(std::to_string(index)); }

void ParamsPlace::enter_part(std::string part) {
  parts_.push_back(std::move(part));
  if (parts_.size() <= std::size_t{kParamsDepthMax}) return;
  throw Error(ErrorCode::invalid_argument, "the hyperparameters are nested deeper than " +
                                               std::to_string(kParamsDepthMax));
}

std::string ParamsPlace::pointer() const {
  std::string pointer;
  for (const std::string& part : parts_) pointer += "/" + part;
  return pointer;
}

void ParamsPlace::count(std::size_t values, std::size_t bytes) {
  values_ += values;
  bytes_ += bytes;
  if (values_ > kParamsValuesMax) {
    throw Error(ErrorCode::too_large, "the hyperparameters have more than " +
                                          std::to_string(kParamsValuesMax) +
                                          " values, those of aliases included");
  }
  if (bytes_ > kParamsSizeMax) {
    throw Error(ErrorCode::too_large, "the hyperparameters have more than " +
                                          std::to_string(kParamsSizeMax >> 20) +
                                          " MiB of text");
  }
}

void ParamsPlace::refuse(std::size_t line, const std::string& rule) const {
  const std::string pointer = this->pointer();
  throw Error(ErrorCode::invalid_argument,
              (pointer.empty() ? "the document" : pointer) + " (line " +
                  std::to_string(line) + ") " + rule,
              {{pointer, rule}});
}

json ParamsPlace::inexact(std::string_view written, std::size_t line,
                          const std::string& rule) const {
  if (lossy_ == Lossy::as_text) return std::string(written);
  refuse(line, "is " + shortened(written) + ", " + rule +
                   "; --params-lossy=string keeps it as text");
}

json ParamsPlace::integer(std::string_view written, std::string_view digits, bool negative,
                          int base, std::size_t line) const {
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, status] = std::from_chars(digits.data(), end, number, base);
  if (status != std::errc() || stop != end || number > kExactIntegerMax) {
    return inexact(written, line,
                   "an integer beyond 2^53, which JSON does not carry exactly");
  }
  const auto value = static_cast<std::int64_t>(number);
  return negative ? -value : value;
}

json ParamsPlace::floating(std::string_view written, std::size_t line) const {
  const std::string_view unsigned_ = written.starts_with('+') ? written.substr(1) : written;
  double number = 0;
  const char* const end = unsigned_.data() + unsigned_.size();
  const auto [stop, status] = std::from_chars(unsigned_.data(), end, number);
  if (status == std::errc::result_out_of_range) {
    return inexact(written, line, "beyond the range of a double");
  }
  if (status != std::errc() || stop != end) refuse(line, "is not a number");
  return number;
}

json ParamsPlace::not_finite(std::string_view written, std::size_t line) const {
  return inexact(written, line, "which JSON has no number for");
}

json ParamsPlace::text(std::string_view text, std::size_t line) const {
  if (text.find('\0') != text.npos) refuse(line, "has a NUL character");
  return std::string(text);
}

}  // namespace mendel::cli
