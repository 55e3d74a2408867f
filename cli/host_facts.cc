#include "cli/host_facts.h"

#include <sys/utsname.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "cli/child_output.h"

namespace mendel::cli {

namespace {

constexpr std::chrono::seconds kProgramTimeMax{10};
constexpr std::size_t kProgramOutputMax = 1u << 20;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Calls visit(line) for every line.
template <typename Visit>
void for_each_line(std::string_view text, Visit visit) {
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) visit(line);
}

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

// Of the host: a packaged mendel runs with a C library of its own.
std::string find_libc() {
  return trimmed(
      find_output({"getconf", "GNU_LIBC_VERSION"}, kProgramTimeMax, kProgramOutputMax)
          .value_or(""));
}

Json find_platform() {
  Json platform = Json::object();
  utsname names;
  if (::uname(&names) == 0) {
    platform["system"] = names.sysname;
    platform["kernel"] = names.release;
    platform["machine"] = names.machine;
  }
  const Json os = parse_os_release(read_file("/etc/os-release"));
  for (const char* key : {"ID", "VERSION_ID", "PRETTY_NAME"}) {
    if (os.contains(key)) platform["os"][key] = os[key];
  }
  if (const std::string libc = find_libc(); !libc.empty()) platform["libc"] = libc;
  return platform;
}

Json find_cpu() {
  Json cpu = Json::object();
  for_each_line(read_file("/proc/cpuinfo"), [&](const std::string& line) {
    if (cpu.contains("model") || !line.starts_with("model name")) return;
    cpu["model"] = trimmed(std::string_view(line).substr(line.find(':') + 1));
  });
  if (const unsigned count = std::thread::hardware_concurrency()) cpu["count"] = count;
  return cpu;
}

Json find_gpu() {
  const auto printed = find_output(
      {"nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"},
      kProgramTimeMax, kProgramOutputMax);
  if (printed) {
    if (Json gpu = parse_nvidia_smi(*printed); !gpu.is_null()) return gpu;
  }
  const std::string nvidia = read_file("/proc/driver/nvidia/version");
  if (!nvidia.empty()) return {{"driver", trimmed(nvidia.substr(0, nvidia.find('\n')))}};
  const std::string amd = trimmed(read_file("/sys/module/amdgpu/version"));
  if (!amd.empty()) return {{"driver", "amdgpu " + amd}};
  return nullptr;
}

Json find_container() {
  for (const char* name : {"APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"}) {
    if (const std::string image = variable(name); !image.empty()) {
      return {{"runtime", "apptainer"}, {"image", image}};
    }
  }
  std::error_code absent;
  if (std::filesystem::exists("/run/.containerenv", absent)) return {{"runtime", "podman"}};
  if (std::filesystem::exists("/.dockerenv", absent)) return {{"runtime", "docker"}};
  return nullptr;
}

}  // namespace

Json parse_os_release(std::string_view text) {
  Json members = Json::object();
  for_each_line(text, [&](const std::string& line) {
    const auto equals = line.find('=');
    if (equals == line.npos || line.starts_with('#')) return;
    std::string value = trimmed(line.substr(equals + 1));
    const bool is_quoted = value.size() >= 2 && value.front() == value.back() &&
                           (value.front() == '"' || value.front() == '\'');
    if (is_quoted) value = value.substr(1, value.size() - 2);
    members[line.substr(0, equals)] = value;
  });
  return members;
}

Json parse_nvidia_smi(std::string_view text) {
  Json gpu = Json::object();
  for_each_line(text, [&](const std::string& line) {
    const auto comma = line.rfind(',');
    if (comma == line.npos) return;
    const std::string name = trimmed(line.substr(0, comma));
    gpu["driver"] = trimmed(line.substr(comma + 1));
    gpu["devices"][name] = gpu.contains("devices") ? gpu["devices"].value(name, 0) + 1 : 1;
  });
  return gpu.empty() ? Json() : gpu;
}

Json parse_modules(std::string_view text) {
  Json modules = Json::array();
  std::istringstream stream{std::string(text)};
  for (std::string name; std::getline(stream, name, ':');) {
    if (!name.empty()) modules.push_back(name);
  }
  return modules;
}

Json find_host_facts() {
  Json facts = {{"platform", find_platform()}, {"cpu", find_cpu()}};
  if (Json gpu = find_gpu(); !gpu.is_null()) facts["gpu"] = std::move(gpu);
  if (Json container = find_container(); !container.is_null()) {
    facts["container"] = std::move(container);
  }
  if (Json modules = parse_modules(variable("LOADEDMODULES")); !modules.empty()) {
    facts["modules"] = std::move(modules);
  }
  if (const std::string tag = variable("BINARY_TAG"); !tag.empty()) {
    facts["binary_tag"] = tag;
  }
  return facts;
}

}  // namespace mendel::cli
