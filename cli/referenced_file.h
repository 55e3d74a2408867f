#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/manifest.h"

namespace mendel::cli {

// What could be found out about a file that stays where it is.
struct ReferencedCheck {
  enum class State { right, wrong, unchecked };
  State state;
  std::string reason;  // where it was found, what is wrong, or why it was not checked
};

// Compares size and checksum with what lies at the first location that this machine can
// read: file:///…. Other schemes are the business of other programs, and are not checked.
ReferencedCheck check_referenced(const storage::ManifestFile& file);

// "file:///a%20b" as "/a b"; nullopt for what is no path on this machine.
std::optional<std::string> local_path(std::string_view location);

}  // namespace mendel::cli
