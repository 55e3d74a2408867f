#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/digest.h"

// What is searched for, as a tree. registry/services/search_query.h reads it from a user's
// text; schema/search.h finds what it means.
namespace mendel::schema {

enum class SearchTarget : std::uint8_t { versions, runs };

enum class Comparison : std::uint8_t {
  equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal
};

// A text that has the pieces in this order, the first at its beginning and the last at its
// end, and anything between them. One piece: exactly that text.
struct TextPattern {
  std::vector<std::string> pieces;

  friend bool operator==(const TextPattern&, const TextPattern&) = default;
};

// Names, people and aliases are compared by their folded form.
struct TextCondition {
  enum class Field : std::uint8_t { kind, ns, name, creator, alias, state, status };
  Field field;
  TextPattern pattern;

  friend bool operator==(const TextCondition&, const TextCondition&) = default;
};

struct LabelCondition {
  std::string key;
  TextPattern pattern;
  bool differs = false;  // it is there, and is not like that

  friend bool operator==(const LabelCondition&, const LabelCondition&) = default;
};

// path: members and indices from the root, with dots between: "training.layers.0". Text is
// compared with text, a number with numbers and with text that spells it the same.
struct ParameterCondition {
  std::string path;
  Comparison comparison;
  TextPattern pattern;
  std::optional<double> number;

  friend bool operator==(const ParameterCondition&, const ParameterCondition&) = default;
};

// own: of a version the value it was published with, of a run the last one.
struct MetricCondition {
  enum class Value : std::uint8_t { own, run_last, run_min, run_max, evaluation };
  Value value;
  std::string name;
  Comparison comparison;
  double number;

  friend bool operator==(const MetricCondition&, const MetricCondition&) = default;
};

struct CommitCondition {
  std::string prefix;  // at least 7 lower-case hexadecimal digits

  friend bool operator==(const CommitCondition&, const CommitCondition&) = default;
};

// The version's own digest, or that of one of its files.
struct DigestCondition {
  Digest digest;

  friend bool operator==(const DigestCondition&, const DigestCondition&) = default;
};

// When it was made: from ≤ time < until.
struct TimeCondition {
  std::optional<Timestamp> from;
  std::optional<Timestamp> until;

  friend bool operator==(const TimeCondition&, const TimeCondition&) = default;
};

// Each word of the text begins a word of the message, or is part of the name.
struct WordsCondition {
  std::string text;

  friend bool operator==(const WordsCondition&, const WordsCondition&) = default;
};

using SearchCondition =
    std::variant<TextCondition, LabelCondition, ParameterCondition, MetricCondition,
                 CommitCondition, DigestCondition, TimeCondition, WordsCondition>;

struct SearchNode {
  enum class Kind : std::uint8_t { condition, all_of, any_of, none_of };
  Kind kind = Kind::all_of;
  std::vector<SearchNode> parts;             // of all but a condition
  std::optional<SearchCondition> condition;  // of a condition

  friend bool operator==(const SearchNode&, const SearchNode&) = default;
};

struct SearchQuery {
  SearchTarget target = SearchTarget::versions;
  SearchNode root;  // all_of

  friend bool operator==(const SearchQuery&, const SearchQuery&) = default;
};

}  // namespace mendel::schema
