#include "registry/services/search_fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

using schema::Comparison;
using schema::MetricCondition;
using schema::SearchNode;
using schema::SearchTarget;
using schema::TextCondition;
using schema::TextPattern;

constexpr std::size_t kCommitPrefixMin = 7;
constexpr std::size_t kCommitSizeMax = 64;

std::string folded(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc() || stopped != end || !std::isfinite(number)) return {};
  return number;
}

std::optional<double> metric_in(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  return number_in(text);
}

// ':' cuts at '*', which stands for anything, in quotes, too: what has to be quoted may be
// a pattern, and '=' takes it as it is.
TextPattern pattern_of(const SearchOperator& op, std::string_view text) {
  TextPattern pattern;
  while (op.takes_pattern && text.find('*') != text.npos) {
    pattern.pieces.emplace_back(text.substr(0, text.find('*')));
    text.remove_prefix(text.find('*') + 1);
  }
  pattern.pieces.emplace_back(text);
  return pattern;
}

// One field while it is read.
struct Reader {
  const SearchTokens& tokens;
  const SearchField& field;
  const SearchOperator& op;
  const SearchValue& value;

  bool compares_equal() const {
    return op.comparison == Comparison::equal || op.comparison == Comparison::not_equal;
  }
  void require_equality() const {
    if (compares_equal()) return;
    tokens.refuse(field.at,
                  fmt::format("{} takes :, = or !=, not {}", field.name, op.text));
  }

  // For fields with one value: then another value and not this value are the same.
  SearchNode or_negated(SearchNode node) const {
    return op.comparison == Comparison::not_equal ? negated(std::move(node)) : node;
  }

  std::string key_after(std::string_view prefix) const {
    std::string key = field.name.substr(prefix.size());
    if (key.empty()) {
      tokens.refuse(field.at, fmt::format("expected a name after '{}'", field.name));
    }
    return key;
  }

  SearchNode text(TextCondition::Field meant) const {
    require_equality();
    return or_negated(
        condition_node(TextCondition{meant, pattern_of(op, folded(value.text))}));
  }
  SearchNode one_of(TextCondition::Field meant,
                    const std::vector<std::string_view>& known) const {
    if (std::ranges::find(known, value.text) == known.end()) {
      tokens.refuse(value.at, fmt::format("expected {}", fmt::join(known, ", ")));
    }
    return text(meant);
  }
  SearchNode alias() const;
  SearchNode name() const;
  SearchNode label() const;
  SearchNode parameter() const;
  SearchNode metric() const;
  SearchNode evaluation() const;
  SearchNode created() const;
  SearchNode commit() const;
  SearchNode digest() const;
  double metric_number() const;
};

SearchNode Reader::alias() const {
  if (op.comparison == Comparison::not_equal) {
    tokens.refuse(field.at, "a version may have several aliases: write NOT alias:…");
  }
  return text(TextCondition::Field::alias);
}

// name:lhcb/lamarr-* is of one namespace.
SearchNode Reader::name() const {
  const auto slash = value.text.find('/');
  if (slash == value.text.npos) return text(TextCondition::Field::name);
  require_equality();
  const std::string whole = folded(value.text);
  const auto part = [&](TextCondition::Field meant, std::string_view text) {
    return condition_node(TextCondition{meant, pattern_of(op, text)});
  };
  std::vector<SearchNode> parts;
  parts.push_back(part(TextCondition::Field::ns, std::string_view(whole).substr(0, slash)));
  parts.push_back(
      part(TextCondition::Field::name, std::string_view(whole).substr(slash + 1)));
  return or_negated(group_node(SearchNode::Kind::all_of, std::move(parts)));
}

SearchNode Reader::label() const {
  std::string key = key_after("label.");
  require_equality();
  return condition_node(schema::LabelCondition{std::move(key), pattern_of(op, value.text),
                                               op.comparison == Comparison::not_equal});
}

SearchNode Reader::parameter() const {
  schema::ParameterCondition condition{.path = key_after("param."),
                                       .comparison = op.comparison,
                                       .pattern = pattern_of(op, value.text),
                                       .number = std::nullopt};
  if (!value.quoted) condition.number = number_in(value.text);
  if (!compares_equal() && !condition.number) {
    tokens.refuse(value.at, fmt::format("expected a number after {}", op.text));
  }
  return condition_node(std::move(condition));
}

double Reader::metric_number() const {
  if (const auto number = metric_in(value.text)) return *number;
  tokens.refuse(value.at, "expected a number, NaN, Infinity or -Infinity");
}

// The end of the name says which value, unless it was quoted.
SearchNode Reader::metric() const {
  using enum MetricCondition::Value;
  constexpr std::pair<std::string_view, MetricCondition::Value> kEnds[] = {
      {".last", run_last}, {".min", run_min}, {".max", run_max}};
  std::string name = key_after("metric.");
  const std::size_t bare_size = field.name.size() - field.bare_at;
  for (const auto& [end, meant] : kEnds) {
    if (bare_size < end.size() || !name.ends_with(end) || name.size() == end.size())
      continue;
    name.resize(name.size() - end.size());
    return condition_node(MetricCondition{meant, name, op.comparison, metric_number()});
  }
  return condition_node(MetricCondition{own, name, op.comparison, metric_number()});
}

SearchNode Reader::evaluation() const {
  return condition_node(MetricCondition{MetricCondition::Value::evaluation,
                                        key_after("evaluation."), op.comparison,
                                        metric_number()});
}

// A bare date is the whole day: after it, before it, within it.
SearchNode Reader::created() const {
  constexpr std::size_t kDateSize = 10;
  constexpr Timestamp kFirst = std::chrono::sys_days{std::chrono::January / 1 / 1970};
  constexpr Timestamp kLast = std::chrono::sys_days{std::chrono::January / 1 / 9999};
  Timestamp begin;
  Timestamp end;  // of what the value means
  try {
    const bool is_date = value.text.size() == kDateSize;
    begin = parse_rfc3339(is_date ? value.text + "T00:00:00Z" : value.text);
    end = begin + (is_date ? std::chrono::days(1) : std::chrono::microseconds(1));
  } catch (const Error&) {
    tokens.refuse(value.at, "expected a date, or a time such as 2024-02-13T15:00:00Z");
  }
  if (begin < kFirst || end > kLast) {
    tokens.refuse(value.at, "expected a year from 1970 to 9998");
  }
  using schema::TimeCondition;
  switch (op.comparison) {
    case Comparison::equal: return condition_node(TimeCondition{begin, end});
    case Comparison::not_equal: return negated(condition_node(TimeCondition{begin, end}));
    case Comparison::less: return condition_node(TimeCondition{std::nullopt, begin});
    case Comparison::less_or_equal: return condition_node(TimeCondition{std::nullopt, end});
    case Comparison::greater: return condition_node(TimeCondition{end, std::nullopt});
    case Comparison::greater_or_equal:
      return condition_node(TimeCondition{begin, std::nullopt});
  }
  return {};
}

SearchNode Reader::commit() const {
  require_equality();
  const std::string prefix = folded(value.text);
  const bool is_hex = prefix.find_first_not_of("0123456789abcdef") == prefix.npos;
  if (!is_hex || prefix.size() < kCommitPrefixMin || prefix.size() > kCommitSizeMax) {
    tokens.refuse(value.at, fmt::format("expected {} to {} hexadecimal digits of a commit",
                                        kCommitPrefixMin, kCommitSizeMax));
  }
  return or_negated(condition_node(schema::CommitCondition{prefix}));
}

SearchNode Reader::digest() const {
  require_equality();
  const auto digest =
      Digest::find_in(field.name == "sha256" ? "sha256:" + value.text : value.text);
  if (!digest) {
    tokens.refuse(value.at, "expected sha256: and 64 lower-case hexadecimal digits");
  }
  return or_negated(condition_node(schema::DigestCondition{*digest}));
}

struct KnownField {
  std::string_view name;  // with a dot at its end: what follows is a key
  std::optional<SearchTarget> target;
  SearchNode (*read)(const Reader& reader);
};

using Text = TextCondition::Field;

constexpr KnownField kFields[] = {
    {"kind", SearchTarget::versions,
     [](const Reader& r) {
       return r.one_of(Text::kind, {"model", "dataset", "environment"});
     }},
    {"namespace", {}, [](const Reader& r) { return r.text(Text::ns); }},
    {"name", {}, [](const Reader& r) { return r.name(); }},
    {"label.", {}, [](const Reader& r) { return r.label(); }},
    {"param.", {}, [](const Reader& r) { return r.parameter(); }},
    {"metric.", {}, [](const Reader& r) { return r.metric(); }},
    {"evaluation.", SearchTarget::versions, [](const Reader& r) { return r.evaluation(); }},
    {"commit", {}, [](const Reader& r) { return r.commit(); }},
    {"digest", SearchTarget::versions, [](const Reader& r) { return r.digest(); }},
    {"sha256", SearchTarget::versions, [](const Reader& r) { return r.digest(); }},
    {"creator", {}, [](const Reader& r) { return r.text(Text::creator); }},
    {"created", {}, [](const Reader& r) { return r.created(); }},
    {"alias", SearchTarget::versions, [](const Reader& r) { return r.alias(); }},
    {"state", SearchTarget::versions,
     [](const Reader& r) {
       return r.one_of(Text::state, {"active", "yanked"});
     }},
    {"status", SearchTarget::runs, [](const Reader& r) {
       return r.one_of(Text::status, {"running", "finished", "failed", "killed", "lost"});
     }}};

}  // namespace

SearchNode condition_node(schema::SearchCondition condition) {
  return {
      .kind = SearchNode::Kind::condition, .parts = {}, .condition = std::move(condition)};
}

SearchNode group_node(SearchNode::Kind kind, std::vector<SearchNode> parts) {
  return {.kind = kind, .parts = std::move(parts), .condition = std::nullopt};
}

SearchNode negated(SearchNode node) {
  std::vector<SearchNode> parts;
  parts.push_back(std::move(node));
  return group_node(SearchNode::Kind::none_of, std::move(parts));
}

FieldMeaning read_search_field(const SearchTokens& tokens, const SearchField& field,
                               const SearchOperator& op, const SearchValue& value) {
  for (const KnownField& known : kFields) {
    const bool is_meant = known.name.ends_with('.') ? field.name.starts_with(known.name)
                                                    : field.name == known.name;
    if (is_meant) return {known.read({tokens, field, op, value}), known.target};
  }
  tokens.refuse(field.at,
                fmt::format("there is no field '{}': write is, kind, namespace, name, "
                            "label.KEY, param.PATH, metric.NAME, evaluation.NAME, commit, "
                            "digest, creator, created, alias, state or status, or quote "
                            "what is no field",
                            field.name));
}

}  // namespace mendel::registry
