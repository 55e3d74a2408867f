#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "storage/base/digest.h"

namespace mendel {

// Names that exist are valid: each parse() throws invalid_argument with the rule that the
// text breaks. Names keep the spelling that they were given and are unique ignoring case
// (ASCII); folded() is what is compared.

// Namespaces, artifacts, principals, components: [A-Za-z0-9][A-Za-z0-9._-]{0,99}.
class Name {
 public:
  static Name parse(std::string_view what, std::string_view text);

  const std::string& text() const { return text_; }
  std::string folded() const;

 private:
  explicit Name(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// "lhcb/lamarr-trk".
class ArtifactName {
 public:
  static ArtifactName parse(std::string_view text);
  static ArtifactName parse(std::string_view ns, std::string_view name);

  const Name& ns() const { return ns_; }
  const Name& name() const { return name_; }
  std::string text() const { return ns_.text() + "/" + name_.text(); }
  std::string folded() const { return ns_.folded() + "/" + name_.folded(); }

 private:
  ArtifactName(Name ns, Name name) : ns_(std::move(ns)), name_(std::move(name)) {}
  Name ns_;
  Name name_;
};

using VersionNumber = std::int32_t;  // from 1

// A movable name for a version: a Name with at least one character that is no digit, and
// not "latest".
class AliasName {
 public:
  static AliasName parse(std::string_view text);

  const std::string& text() const { return name_.text(); }
  std::string folded() const { return name_.folded(); }

  friend bool operator==(const AliasName& a, const AliasName& b) {
    return a.folded() == b.folded();
  }

 private:
  explicit AliasName(Name name) : name_(std::move(name)) {}
  Name name_;
};

struct Latest {
  friend bool operator==(const Latest&, const Latest&) = default;
};

// How a version is named within its artifact: latest, its number, an alias, its digest.
class VersionRef {
 public:
  using Value = std::variant<Latest, VersionNumber, AliasName, Digest>;

  // As in a URL: "latest", "17", "production", "sha256:…".
  static VersionRef parse(std::string_view text);
  explicit VersionRef(Value value) : value_(std::move(value)) {}

  const Value& value() const { return value_; }
  std::string text() const;

  // Whether it means the same bytes for ever: a number or a digest.
  bool is_immutable() const;

 private:
  Value value_;
};

// "lhcb/lamarr-trk", "…:17", "…@production", "…@sha256:…".
struct Reference {
  ArtifactName artifact;
  VersionRef version;

  static Reference parse(std::string_view text);
  std::string text() const;
};

// How a numbered version is written: "lhcb/lamarr-trk:17".
std::string numbered_reference(const ArtifactName& artifact, VersionNumber number);

}  // namespace mendel
