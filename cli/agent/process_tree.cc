#include "cli/agent/process_tree.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "storage/base/fd.h"

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

struct ProcessStat {
  char state = 'Z';
  ::pid_t parent = 0;
  std::uint64_t start_ticks = 0;
};

// Files of /proc say no size, and vanish with their process.
std::string read_proc(::pid_t pid, const char* name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// proc(5): "pid (name) state ppid …", the start is field 22; the name may hold anything.
std::optional<ProcessStat> find_stat(::pid_t pid) {
  const std::string text = read_proc(pid, "stat");
  const auto after_name = text.rfind(')');
  if (after_name == text.npos) return std::nullopt;
  std::istringstream fields(text.substr(after_name + 1));
  ProcessStat stat;
  fields >> stat.state >> stat.parent;
  std::string skipped;
  for (int field = 5; field < 22; ++field) fields >> skipped;
  fields >> stat.start_ticks;
  return fields ? std::optional(stat) : std::nullopt;
}

std::optional<::pid_t> pid_of(const fs::path& name) {
  const std::string text = name.filename();
  ::pid_t pid = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, pid);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(pid) : std::nullopt;
}

std::vector<::pid_t> all_processes() {
  std::vector<::pid_t> pids;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    if (const auto pid = pid_of(entry.path())) pids.push_back(*pid);
  }
  return pids;
}

}  // namespace

ProcessIdentity ProcessIdentity::of_this_process() {
  const ::pid_t pid = ::getpid();
  const auto stat = find_stat(pid);
  return {pid, stat ? stat->start_ticks : 0};
}

std::string ProcessIdentity::text() const {
  return std::to_string(pid) + " " + std::to_string(start_ticks);
}

std::optional<ProcessIdentity> ProcessIdentity::parse(std::string_view text) {
  std::istringstream fields{std::string(text)};
  ProcessIdentity identity;
  fields >> identity.pid >> identity.start_ticks;
  return fields && identity.pid > 0 ? std::optional(identity) : std::nullopt;
}

bool ProcessIdentity::is_alive() const {
  const auto stat = find_stat(pid);
  return stat && stat->start_ticks == start_ticks && stat->state != 'Z' &&
         stat->state != 'X';
}

void ProcessIdentity::send(int signal) const {
  const Fd process(int(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process || !is_alive()) return;
  ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
}

std::vector<::pid_t> descendants_of(::pid_t pid) {
  std::multimap<::pid_t, ::pid_t> children;
  for (const ::pid_t each : all_processes()) {
    if (const auto stat = find_stat(each)) children.emplace(stat->parent, each);
  }
  std::vector<::pid_t> found{pid};
  for (std::size_t next = 0; next < found.size(); ++next) {
    const auto [begin, end] = children.equal_range(found[next]);
    for (auto child = begin; child != end; ++child) found.push_back(child->second);
  }
  found.erase(found.begin());
  return found;
}

std::vector<::pid_t> processes_with(std::string_view variable) {
  const std::string wanted = '\0' + std::string(variable) + '\0';
  std::vector<::pid_t> found;
  for (const ::pid_t pid : all_processes()) {
    if (('\0' + read_proc(pid, "environ")).find(wanted) != std::string::npos) {
      found.push_back(pid);
    }
  }
  return found;
}

}  // namespace mendel::cli
