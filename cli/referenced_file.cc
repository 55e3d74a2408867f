#include "cli/referenced_file.h"

#include <charconv>

#include "cli/checksum.h"
#include "cli/local_file.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

using State = ReferencedCheck::State;

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    if (text.front() != '%') {
      decoded += text.front();
      text.remove_prefix(1);
      continue;
    }
    unsigned char byte = 0;
    const std::string_view digits = text.substr(1, 2);
    const char* const end = digits.data() + digits.size();
    if (digits.size() < 2 || std::from_chars(digits.data(), end, byte, 16).ptr != end) {
      return std::nullopt;
    }
    decoded += char(byte);
    text.remove_prefix(3);
  }
  if (decoded.find('\0') != decoded.npos) return std::nullopt;
  return decoded;
}

ReferencedCheck compare(const storage::ManifestFile& file, const std::string& path) {
  const Fd open = open_for_reading(path);
  const std::uint64_t size = stamp_of(open, path).size_bytes;
  if (size != file.size_bytes) {
    return {State::wrong, path + " has " + std::to_string(size) + " bytes and not " +
                              std::to_string(file.size_bytes)};
  }
  const std::string checksum = checksum_like(file.checksum, open, path);
  if (checksum != file.checksum) {
    return {State::wrong, path + " has " + checksum + " and not " + file.checksum};
  }
  return {State::right, path};
}

std::string scheme_of(std::string_view location) {
  return std::string(location.substr(0, location.find(':')));
}

}  // namespace

std::optional<std::string> local_path(std::string_view location) {
  for (const std::string_view prefix : {"file://localhost/", "file:///", "file:/"}) {
    if (!location.starts_with(prefix)) continue;
    if (prefix == "file:/" && location.starts_with("file://")) continue;  // another host
    return percent_decode(location.substr(prefix.size() - 1));
  }
  return std::nullopt;
}

ReferencedCheck check_referenced(const storage::ManifestFile& file) {
  std::string reason;
  for (const std::string& location : file.locations) {
    const auto path = local_path(location);
    if (!path) {
      reason = reason.empty()
                   ? "what lies at " + scheme_of(location) + ": is not read by this program"
                   : reason;
      continue;
    }
    try {
      return compare(file, *path);
    } catch (const Error& error) {
      reason = error.what();
    }
  }
  return {State::unchecked, reason};
}

}  // namespace mendel::cli
