#include "storage/base/reference.h"

#include <algorithm>
#include <charconv>

#include "storage/base/error.h"

namespace mendel {

namespace {

constexpr std::size_t kNameSizeMax = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_alphanumeric(char c) {
  return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kNameSizeMax && is_alphanumeric(text.front()) &&
         std::ranges::all_of(text, [](char c) {
           return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
         });
}

std::string fold_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

VersionNumber parse_number(std::string_view text) {
  VersionNumber number = 0;
  const auto [end, status] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || end != text.data() + text.size() || number < 1 ||
      text.front() == '0') {
    refuse("a version number is a whole number from 1 to 2147483647");
  }
  return number;
}

}  // namespace

Name Name::parse(std::string_view what, std::string_view text) {
  if (!is_name(text)) {
    refuse("the name of " + std::string(what) +
           " must match [A-Za-z0-9][A-Za-z0-9._-]{0,99}");
  }
  return Name(std::string(text));
}

std::string Name::folded() const { return fold_case(text_); }

ArtifactName ArtifactName::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) {
    refuse("an artifact is written namespace/name");
  }
  return parse(text.substr(0, slash), text.substr(slash + 1));
}

ArtifactName ArtifactName::parse(std::string_view ns, std::string_view name) {
  return {Name::parse("a namespace", ns), Name::parse("an artifact", name)};
}

AliasName AliasName::parse(std::string_view text) {
  Name name = Name::parse("an alias", text);
  if (std::ranges::all_of(text, is_digit)) {
    refuse("an alias needs at least one character that is no digit");
  }
  if (name.folded() == "latest") {
    refuse("the alias 'latest' is reserved: it always means the newest version not yanked");
  }
  return AliasName(std::move(name));
}

VersionRef VersionRef::parse(std::string_view text) {
  if (text == "latest") return VersionRef(Latest{});
  if (!text.empty() && std::ranges::all_of(text, is_digit))
    return VersionRef(parse_number(text));
  if (text.starts_with("sha256:")) return VersionRef(Digest::parse(text));
  return VersionRef(AliasName::parse(text));
}

std::string VersionRef::text() const {
  struct {
    std::string operator()(Latest) const { return "latest"; }
    std::string operator()(VersionNumber number) const { return std::to_string(number); }
    std::string operator()(const AliasName& alias) const { return alias.text(); }
    std::string operator()(const Digest& digest) const { return digest.to_string(); }
  } constexpr text_of;
  return std::visit(text_of, value_);
}

bool VersionRef::is_immutable() const {
  return std::holds_alternative<VersionNumber>(value_) ||
         std::holds_alternative<Digest>(value_);
}

Reference Reference::parse(std::string_view text) {
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    return {ArtifactName::parse(text.substr(0, at)),
            VersionRef::parse(text.substr(at + 1))};
  }
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    const std::string_view number = text.substr(colon + 1);
    if (number.empty()) refuse("a version number is a whole number from 1 to 2147483647");
    return {ArtifactName::parse(text.substr(0, colon)), VersionRef(parse_number(number))};
  }
  return {ArtifactName::parse(text), VersionRef(Latest{})};
}

std::string Reference::text() const {
  if (std::holds_alternative<VersionNumber>(version.value())) {
    return artifact.text() + ":" + version.text();
  }
  return artifact.text() + "@" + version.text();
}

std::string numbered_reference(const ArtifactName& artifact, VersionNumber number) {
  return artifact.text() + ":" + std::to_string(number);
}

}  // namespace mendel
