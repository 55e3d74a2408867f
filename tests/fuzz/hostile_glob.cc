#include "tests/fuzz/hostile_glob.h"

#include <cstdlib>
#include <string_view>

#include "registry/api/json.h"
#include "registry/api/pipeline_body.h"
#include "storage/base/error.h"
#include "storage/base/glob.h"

namespace mendel::testing {

namespace {

constexpr std::size_t kSmallSizeMax = 12;

void require(bool promise) {
  if (!promise) std::abort();
}

bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80 || c == '[' || c == '\\') return false;
  }
  return text.size() <= kSmallSizeMax;
}

// For patterns without sets and quotes, straight from the rules.
bool matches_slowly(std::string_view pattern, std::string_view text, bool at_part) {
  if (pattern.empty()) return text.empty();
  if (pattern.starts_with("**")) {
    std::string_view rest = pattern;
    while (rest.starts_with('*')) rest.remove_prefix(1);
    const bool is_directories = at_part && rest.starts_with('/');
    if (is_directories) rest.remove_prefix(1);
    for (std::size_t i = 0; i <= text.size(); ++i) {
      const bool begins_part = i == 0 ? at_part : text[i - 1] == '/';
      if (is_directories && !begins_part) continue;
      if (matches_slowly(rest, text.substr(i), is_directories)) return true;
    }
    return false;
  }
  const char first = pattern.front();
  const std::string_view rest = pattern.substr(1);
  if (first == '*') {
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (matches_slowly(rest, text.substr(i), false)) return true;
      if (i < text.size() && text[i] == '/') return false;
    }
    return false;
  }
  if (text.empty()) return false;
  if (first == '?' ? text.front() == '/' : text.front() != first) return false;
  return matches_slowly(rest, text.substr(1), first == '/');
}

}  // namespace

bool match_hostile_glob(std::span<const std::byte> input) {
  const std::string_view all = as_text(input);
  const auto line = all.find('\n');
  const std::string_view pattern = all.substr(0, line);
  const std::string_view text =
      line == std::string_view::npos ? std::string_view() : all.substr(line + 1);
  try {
    const Glob glob = Glob::parse(pattern);
    const bool matches = glob.matches(text);
    if (is_plain(pattern) && is_plain(text)) {
      require(matches == matches_slowly(pattern, text, true));
    }
    return true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument);
    return false;
  }
}

bool read_hostile_pipeline(std::span<const std::byte> input) {
  try {
    const auto document =
        registry::api::read_pipeline_body(registry::api::parse_json(as_text(input)));
    require(registry::PipelineSpec::parse(document.text).queue == document.spec.queue);
    return true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::invalid_argument ||
            error.code() == ErrorCode::unprocessable);
    return false;
  }
}

}  // namespace mendel::testing
