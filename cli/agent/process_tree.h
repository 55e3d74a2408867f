#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mendel::cli {

// A process of this machine, beyond the reuse of its number.
struct ProcessIdentity {
  ::pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // since this machine booted

  static ProcessIdentity of_this_process();

  // "4711 123456".
  std::string text() const;
  static std::optional<ProcessIdentity> parse(std::string_view text);

  bool is_alive() const;  // one that has ended and nobody waited for is not

  // To this process and no other.
  void send(int signal) const;
};

// Those of which pid is an ancestor.
std::vector<::pid_t> descendants_of(::pid_t pid);

// Those of this user that were started with "NAME=value" in their environment.
std::vector<::pid_t> processes_with(std::string_view variable);

}  // namespace mendel::cli
