#include "storage/manifest.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>
#include <utility>

#include "storage/base/error.h"
#include "storage/base/reference.h"
#include "storage/canonical_json.h"
#include "storage/manifest_reader.h"
#include "storage/utf8.h"

namespace mendel::storage {

namespace {

constexpr std::array<std::pair<ArtifactKind, std::string_view>, 3> kKinds{{
    {ArtifactKind::model, "model"},
    {ArtifactKind::dataset, "dataset"},
    {ArtifactKind::environment, "environment"},
}};

constexpr std::size_t kErrorsMax = 100;
constexpr std::size_t kNameSizeMax = 100;
constexpr std::uint64_t kSizeSumMax = 1ull << 53;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alphanumeric(char c) { return is_digit(c) || is_letter(c); }
bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool is_control(char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }

bool is_word(std::string_view text, std::string_view punctuation) {
  return !text.empty() && text.size() <= kNameSizeMax && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_alphanumeric(c) || punctuation.find(c) != punctuation.npos;
         });
}

bool is_name(std::string_view text) { return is_word(text, "._-"); }
bool is_platform(std::string_view text) { return is_word(text, "._+-"); }

bool is_version_number(std::string_view text) {
  VersionNumber number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() &&
         is_digit(text.front()) && text.front() != '0';
}

bool is_version_reference(std::string_view text) {
  const auto slash = text.find('/');
  const auto colon = text.find(':');
  return slash != text.npos && colon != text.npos && slash < colon &&
         is_name(text.substr(0, slash)) &&
         is_name(text.substr(slash + 1, colon - slash - 1)) &&
         is_version_number(text.substr(colon + 1));
}

bool is_checksum(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 4> kForms{
      {{"adler32:", 8}, {"crc32c:", 8}, {"md5:", 32}, {"sha256:", 64}}};
  return std::any_of(kForms.begin(), kForms.end(), [&](const auto& form) {
    const auto& [prefix, digits] = form;
    return text.starts_with(prefix) && text.size() == prefix.size() + digits &&
           std::all_of(text.begin() + prefix.size(), text.end(), is_lower_hex);
  });
}

bool is_location(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos || colon == 0 || colon + 1 == text.size()) return false;
  const auto scheme = text.substr(0, colon);
  return text.size() <= kLocationSizeMax && is_utf8(text) && is_letter(scheme.front()) &&
         std::all_of(scheme.begin(), scheme.end(),
                     [](char c) {
                       return is_alphanumeric(c) || c == '+' || c == '-' || c == '.';
                     }) &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return is_control(c) || c == ' '; });
}

// Calls visit(part) for every part between slashes.
template <typename Visit>
void for_each_part(std::string_view path, Visit visit) {
  for (;;) {
    const auto slash = path.find('/');
    visit(path.substr(0, slash));
    if (slash == path.npos) return;
    path.remove_prefix(slash + 1);
  }
}

std::optional<std::string> text_problem(std::string_view text) {
  if (text.empty()) return "is empty";
  if (text.size() > kPathSizeMax) {
    return "is longer than " + std::to_string(kPathSizeMax) + " bytes";
  }
  if (std::any_of(text.begin(), text.end(), is_control)) return "has a control character";
  if (!is_utf8(text)) return "is not valid UTF-8";
  if (text.front() == '/') return "is absolute";
  return std::nullopt;
}

std::optional<std::string> link_problem(std::string_view path, std::string_view target) {
  if (auto problem = text_problem(target)) return problem;
  auto depth = std::count(path.begin(), path.end(), '/');
  bool descending = false;
  std::optional<std::string> problem;
  for_each_part(target, [&](std::string_view part) {
    if (part == "..") {
      if (descending) problem = "goes up (..) after going down";
      if (--depth < 0 && !problem) problem = "leads outside";
    } else if (!part.empty() && part != ".") {
      descending = true;
    }
  });
  return problem;
}

// What is wrong with a manifest, up to a limit: a broken one of 400 000 files needs no
// 400 000 answers.
class Findings {
 public:
  void add(std::string pointer, std::string detail) {
    if (fields_.size() < kErrorsMax)
      fields_.push_back({std::move(pointer), std::move(detail)});
  }
  void add(std::string_view list, std::size_t position, std::string_view member,
           std::string detail) {
    std::string pointer = "/" + std::string(list) + "/" + std::to_string(position);
    if (!member.empty()) pointer += "/" + std::string(member);
    add(std::move(pointer), std::move(detail));
  }
  bool full() const { return fields_.size() >= kErrorsMax; }

  void throw_if_any() {
    if (fields_.empty()) return;
    const auto& first = fields_.front();
    std::string message =
        "the manifest breaks a rule: " + (first.pointer.empty() ? "it" : first.pointer) +
        " " + first.detail;
    throw Error(ErrorCode::unprocessable, message, std::move(fields_));
  }

 private:
  std::vector<FieldError> fields_;
};

void check_shape(const ManifestFile& file, std::size_t at, Findings& findings) {
  const bool referenced = !file.locations.empty();
  const int shapes = int{file.digest.has_value()} + int{!file.link.empty()} +
                     int{file.directory} + int{referenced};
  if (shapes != 1) {
    findings.add("files", at, "",
                 "has to have exactly one of digest, link, directory, locations");
    return;
  }
  if (file.executable && !file.digest) {
    findings.add("files", at, "executable", "is only for stored files");
  }
  if (!file.checksum.empty() && !referenced) {
    findings.add("files", at, "checksum", "is only for files with locations");
  }
  if (file.size_bytes > 0 && !file.digest && !referenced) {
    findings.add("files", at, "size", "is only for stored files and files with locations");
  }
}

void check_locations(const ManifestFile& file, std::size_t at, Findings& findings) {
  if (file.locations.empty()) return;
  if (!is_checksum(file.checksum)) {
    findings.add("files", at, "checksum",
                 "has to be adler32:, crc32c:, md5: or sha256: and as many lower-case "
                 "hexadecimal digits as that has");
  }
  if (file.locations.size() > kLocationsMax) {
    findings.add("files", at, "locations",
                 "has more than " + std::to_string(kLocationsMax) + " entries");
  }
  for (std::size_t i = 0; i < file.locations.size(); ++i) {
    if (!is_location(file.locations[i])) {
      findings.add("files", at, "locations/" + std::to_string(i),
                   "is not a URI with a scheme of at most " +
                       std::to_string(kLocationSizeMax) + " bytes");
    }
  }
}

void check_file(const ManifestFile& file, std::size_t at, Findings& findings) {
  if (auto problem = path_problem(file.path)) findings.add("files", at, "path", *problem);
  if (!file.platform.empty() && !is_platform(file.platform)) {
    findings.add("files", at, "platform",
                 "does not match [A-Za-z0-9][A-Za-z0-9._+-]{0,99}");
  }
  check_shape(file, at, findings);
  if (!file.link.empty()) {
    if (auto problem = link_problem(file.path, file.link)) {
      findings.add("files", at, "link", *problem);
    }
  }
  check_locations(file, at, findings);
}

void check_component(const ManifestComponent& component, std::size_t at,
                     Findings& findings) {
  if (!is_name(component.name)) {
    findings.add("components", at, "name",
                 "does not match [A-Za-z0-9][A-Za-z0-9._-]{0,99}");
  }
  if (!is_version_reference(component.ref)) {
    findings.add("components", at, "ref", "is not of the form namespace/name:number");
  }
}

void check_sizes(const Manifest& manifest, Findings& findings) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < manifest.files.size(); ++i) {
    const std::uint64_t size = manifest.files[i].size_bytes;
    if (size > kSizeSumMax - sum) {
      findings.add("files", i, "size", "takes the sum of all sizes over 2^53");
      return;
    }
    sum += size;
  }
}

// A name in the tree that a manifest spans: the path of a file, or a component's.
struct Claim {
  std::string_view key;  // folded, with '/' below every other byte
  std::string_view name;
  std::string_view list;
  std::size_t position;

  std::string_view member() const { return list == "files" ? "path" : "name"; }
};

// All names in the order of a tree: equal ones side by side, what is below one right after
// it. So each collision shows between two neighbours.
class Claims {
 public:
  explicit Claims(const Manifest& manifest) {
    std::size_t size = 0;
    for (const auto& file : manifest.files) size += file.path.size();
    for (const auto& component : manifest.components) size += component.name.size();
    keys_.reserve(size);
    claims_.reserve(manifest.files.size() + manifest.components.size());
    for (std::size_t i = 0; i < manifest.files.size(); ++i) {
      add(manifest.files[i].path, "files", i);
    }
    for (std::size_t i = 0; i < manifest.components.size(); ++i) {
      add(manifest.components[i].name, "components", i);
    }
    std::sort(claims_.begin(), claims_.end(), [](const Claim& left, const Claim& right) {
      return std::tie(left.key, left.list, left.position) <
             std::tie(right.key, right.list, right.position);
    });
  }

  void check(Findings& findings) const {
    for (std::size_t i = 1; i < claims_.size() && !findings.full(); ++i) {
      const Claim& previous = claims_[i - 1];
      const Claim& claim = claims_[i];
      if (claim.key == previous.key) {
        check_equals(previous, claim, findings);
      } else if (claim.key.starts_with(previous.key) &&
                 claim.key[previous.key.size()] == kSeparator) {
        findings.add(claim.list, claim.position, claim.member(),
                     "lies below " + std::string(previous.name) + ", which is a " +
                         (previous.list == "files" ? "path" : "component") + " itself");
      }
    }
  }

 private:
  // Control characters have been refused, so this sorts below all that a path may hold.
  static constexpr char kSeparator = '\x01';

  void add(std::string_view name, std::string_view list, std::size_t position) {
    const std::size_t begin = keys_.size();
    append_case_folded(keys_, name);
    std::replace(keys_.begin() + begin, keys_.end(), '/', kSeparator);
    claims_.push_back({std::string_view(keys_).substr(begin), name, list, position});
  }

  static void check_equals(const Claim& previous, const Claim& claim, Findings& findings) {
    if (claim.list != previous.list) {
      findings.add(claim.list, claim.position, claim.member(),
                   "is the name of a component and a path at once");
    } else if (claim.name != previous.name) {
      findings.add(claim.list, claim.position, claim.member(),
                   "differs from " + std::string(previous.name) + " only by case");
    } else if (claim.list == "components") {
      findings.add(claim.list, claim.position, claim.member(), "is there twice");
    }
  }

  std::string keys_;  // reserved in full, so that the views into it stay valid
  std::vector<Claim> claims_;
};

bool precedes(const ManifestFile& left, const ManifestFile& right) {
  return std::tie(left.path, left.platform) < std::tie(right.path, right.platform);
}

void check_platforms(const Manifest& manifest, Findings& findings) {
  std::vector<std::uint32_t> order(manifest.files.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t left, std::uint32_t right) {
                     return precedes(manifest.files[left], manifest.files[right]);
                   });
  for (std::size_t i = 1; i < order.size() && !findings.full(); ++i) {
    const auto& file = manifest.files[order[i]];
    if (!precedes(manifest.files[order[i - 1]], file)) {
      findings.add("files", order[i], "path",
                   file.platform.empty() ? "is there twice for all platforms"
                                         : "is there twice for platform " + file.platform);
    }
  }
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (out.back() != '{') out += ',';
  out.append(1, '"').append(name).append("\":");
  append_canonical_string(out, text);
}

void append_member(std::string& out, std::string_view name, std::uint64_t number) {
  if (out.back() != '{') out += ',';
  out.append(1, '"').append(name).append("\":").append(std::to_string(number));
}

void append_true(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  out.append(1, '"').append(name).append("\":true");
}

void append_locations(std::string& out, const std::vector<std::string>& locations) {
  out += ",\"locations\":";
  char before = '[';
  for (const auto& location : locations) {
    out += std::exchange(before, ',');
    append_canonical_string(out, location);
  }
  out += ']';
}

// The members in the order of their names, as RFC 8785 has them.
void append_file(std::string& out, const ManifestFile& file) {
  out += '{';
  if (!file.locations.empty()) append_member(out, "checksum", file.checksum);
  if (file.digest) append_member(out, "digest", file.digest->to_string());
  if (file.directory) append_true(out, "directory");
  if (file.executable) append_true(out, "executable");
  if (!file.link.empty()) append_member(out, "link", file.link);
  if (!file.locations.empty()) append_locations(out, file.locations);
  append_member(out, "path", file.path);
  if (!file.platform.empty()) append_member(out, "platform", file.platform);
  if (file.digest || !file.locations.empty()) append_member(out, "size", file.size_bytes);
  out += '}';
}

void append_component(std::string& out, const ManifestComponent& component) {
  out += '{';
  append_member(out, "digest", component.digest.to_string());
  append_member(out, "name", component.name);
  append_member(out, "ref", component.ref);
  out += '}';
}

template <typename Entry>
void append_list(std::string& out, std::string_view name, const std::vector<Entry>& entries,
                 void (*append_entry)(std::string&, const Entry&)) {
  if (entries.empty()) return;
  out.append(1, '"').append(name).append("\":");
  char before = '[';
  for (const auto& entry : entries) {
    out += std::exchange(before, ',');
    append_entry(out, entry);
  }
  out += "],";
}

}  // namespace

std::string_view to_string(ArtifactKind kind) {
  return std::find_if(kKinds.begin(), kKinds.end(),
                      [&](const auto& known) { return known.first == kind; })
      ->second;
}

std::optional<ArtifactKind> parse_artifact_kind(std::string_view text) {
  for (const auto& [kind, name] : kKinds) {
    if (name == text) return kind;
  }
  return std::nullopt;
}

std::uint64_t Manifest::size_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& file : files) sum += file.size_bytes;
  return sum;
}

std::optional<std::string> path_problem(std::string_view path) {
  if (auto problem = text_problem(path)) return problem;
  std::optional<std::string> problem;
  for_each_part(path, [&](std::string_view part) {
    if (part.empty()) problem = "has an empty part";
    if (part == ".") problem = "has a part '.'";
    if (part == "..") problem = "has a part '..'";
  });
  return problem;
}

void normalise(Manifest& manifest) {
  Findings findings;
  if (manifest.files.empty() && manifest.components.empty()) {
    findings.add("", "has neither files nor components");
  }
  for (std::size_t i = 0; i < manifest.files.size() && !findings.full(); ++i) {
    check_file(manifest.files[i], i, findings);
  }
  for (std::size_t i = 0; i < manifest.components.size() && !findings.full(); ++i) {
    check_component(manifest.components[i], i, findings);
  }
  check_sizes(manifest, findings);
  findings.throw_if_any();

  // Only names that are good by themselves are compared with each other.
  Claims(manifest).check(findings);
  check_platforms(manifest, findings);
  findings.throw_if_any();

  if (!std::is_sorted(manifest.files.begin(), manifest.files.end(), precedes)) {
    std::sort(manifest.files.begin(), manifest.files.end(), precedes);
  }
  std::sort(manifest.components.begin(), manifest.components.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
}

std::string encode_manifest(const Manifest& manifest) {
  std::string out;
  out.reserve(64 + manifest.files.size() * 160);
  out += '{';
  append_list(out, "components", manifest.components, append_component);
  append_list(out, "files", manifest.files, append_file);
  out.append("\"format\":1,\"kind\":\"").append(to_string(manifest.kind)).append("\"}");
  return out;
}

Manifest decode_manifest(std::string_view bytes) {
  Manifest manifest = read_manifest(bytes);
  normalise(manifest);
  if (encode_manifest(manifest) != bytes) {
    throw Error(
        ErrorCode::unprocessable,
        "the manifest is not in its canonical form (RFC 8785, files sorted by path and "
        "platform, components by name)");
  }
  return manifest;
}

}  // namespace mendel::storage
