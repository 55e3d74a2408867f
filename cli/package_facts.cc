#include "cli/package_facts.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include "cli/child_output.h"

namespace mendel::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPythonTimeMax{30};
constexpr std::size_t kPythonOutputMax = 8u << 20;

// Asks a Python of 3.8 or later what it is and has. The directory that it runs in is not
// looked into, since a json.py there would be taken for the library's. What came from
// elsewhere than an index is written as PEP 610 and `pip freeze` have it, without
// credentials.
constexpr const char* kQuestion = R"(
import sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
import json, platform
from urllib.parse import urlsplit, urlunsplit
def public(url):
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))
def line(found):
    name, version = found.metadata["Name"], found.version
    if not name or not version:
        return None
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    if "vcs_info" in origin:
        info = origin["vcs_info"]
        return "%s @ %s+%s@%s" % (name, info["vcs"], public(origin["url"]), info["commit_id"])
    if "archive_info" in origin and not origin["url"].startswith("file:"):
        return "%s @ %s" % (name, public(origin["url"]))
    return "%s==%s" % (name, version)
packages = set()
try:
    from importlib.metadata import distributions
    for found in distributions():
        try:
            packages.add(line(found))
        except Exception:
            pass
except ImportError:
    pass
packages.discard(None)
print(json.dumps({"implementation": platform.python_implementation(),
                  "version": platform.python_version(), "executable": sys.executable,
                  "packages": sorted(packages, key=str.lower)}))
)";

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string python_program() {
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    const std::string prefix = variable(name);
    if (prefix.empty()) continue;
    const std::string program = prefix + "/bin/python";
    std::error_code absent;
    if (fs::exists(program, absent)) return program;
  }
  return "python3";
}

std::string text_in(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// One line of an explicit list: where the package is, and its MD5.
std::string explicit_line(const fs::path& file) {
  std::ifstream stream(file);
  const Json package = Json::parse(stream, nullptr, false);
  if (!package.is_object()) return "";
  const std::string url = text_in(package, "url");
  if (url.empty() || url.find('@') != url.npos) return "";
  const std::string md5 = text_in(package, "md5");
  return url + (md5.empty() ? "" : "#" + md5);
}

}  // namespace

PythonFacts parse_python_answer(std::string_view text) {
  const Json answer = Json::parse(text, nullptr, false);
  if (!answer.is_object() || text_in(answer, "version").empty()) return {nullptr, ""};
  PythonFacts facts{Json::object(), ""};
  for (const char* member : {"implementation", "version", "executable"}) {
    if (const std::string value = text_in(answer, member); !value.empty()) {
      facts.interpreter[member] = value;
    }
  }
  const auto packages = answer.find("packages");
  if (packages == answer.end() || !packages->is_array()) return facts;
  for (const Json& package : *packages) {
    if (package.is_string()) facts.requirements += package.get<std::string>() + "\n";
  }
  return facts;
}

PythonFacts find_python_facts() {
  const auto answer =
      find_output({python_program(), "-c", kQuestion}, kPythonTimeMax, kPythonOutputMax);
  return answer ? parse_python_answer(*answer) : PythonFacts{nullptr, ""};
}

std::string find_conda_packages(const fs::path& prefix) {
  std::set<std::string> lines;
  std::error_code failure;
  for (fs::directory_iterator entry(prefix / "conda-meta", failure), end;
       !failure && entry != end; entry.increment(failure)) {
    if (entry->path().extension() != ".json") continue;
    if (std::string line = explicit_line(entry->path()); !line.empty()) {
      lines.insert(std::move(line));
    }
  }
  if (lines.empty()) return "";
  std::string text = "@EXPLICIT\n";
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace mendel::cli
