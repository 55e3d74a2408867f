// What is sent, for versions (runs are alike):
//
//   select … from (
//     select found.id
//       from namespace n                      -- those that the caller may read
//      cross join lateral (
//        select x.id from (candidates) x      -- of one condition that leaves few
//         where … and (x.id in (set)) is true -- the others
//         order by x.id desc limit …) found
//      order by found.id desc limit …) page
//   join version … order by id desc
//
// Each condition is a set of ids, which PostgreSQL reads off one index and keeps as a hash
// table, or a test of the row itself. All indexes begin with the namespace. "is true",
// "offset 0" and "limit 1" keep it from joining in an order of its own choice: it has no
// statistics of a namespace, and would read a whole table where that looks small.

#include "schema/search_sql.h"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

namespace mendel::schema {

namespace {

using Field = TextCondition::Field;
using Of = MetricCondition::Value;

constexpr std::int64_t kMetricsShownMax = 20;
constexpr std::size_t kWordsMax = 20;  // of one condition
constexpr int kNoCandidates = std::numeric_limits<int>::max();

bool is_word_character(unsigned char c) {
  return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

// As search_words() cuts messages (0006_search.sql).
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (is_word_character(static_cast<unsigned char>(c))) {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  if (words.size() > kWordsMax) words.resize(kWordsMax);
  return words;
}

// What LIKE takes for itself is escaped.
std::string like_pattern(const TextPattern& pattern) {
  std::string like;
  for (std::size_t i = 0; i < pattern.pieces.size(); ++i) {
    if (i > 0) like += '%';
    for (const char c : pattern.pieces[i]) {
      if (c == '%' || c == '_' || c == '\\') like += '\\';
      like += c;
    }
  }
  return like;
}

bool is_anything(const TextPattern& pattern) {
  return pattern.pieces.size() > 1 &&
         std::ranges::all_of(pattern.pieces,
                             [](const auto& piece) { return piece.empty(); });
}

// Of a version: a metric of the run that made it.
bool is_of_a_run(const MetricCondition& metric) {
  return metric.value != Of::own && metric.value != Of::evaluation;
}

class SearchSql {
 public:
  SearchSql(const NamespaceViewer& viewer, const SearchQuery& query, const SearchPage& page)
      : viewer_(viewer), query_(query), page_(page) {}

  ComposedStatement compose() &&;

 private:
  bool of_runs() const { return query_.target == SearchTarget::runs; }

  // --- the tree
  void sort_conditions(const SearchNode& node);
  int rank(const SearchNode& node) const;
  std::string test(const SearchNode& node);
  std::string joined(const SearchNode& node, FixedSql separator, FixedSql nothing);

  // --- a condition: a set of ids, or a test of the row
  std::string set(const SearchCondition& condition);
  std::string set(const LabelCondition& label);
  std::string set(const ParameterCondition& parameter);
  std::string set(const MetricCondition& metric);
  std::string set(const CommitCondition& commit);
  std::string set(const DigestCondition& digest);
  std::string set(const WordsCondition& words);
  std::string alias_set(const TextPattern& pattern);
  std::string test(const SearchCondition& condition);
  std::string test(const TextCondition& text);
  std::string test(const TimeCondition& time);

  // --- pieces
  std::string facts(const std::string& path);
  std::string number_is(FixedSql column, Comparison comparison, double number);
  std::string matches(FixedSql text, const TextPattern& pattern);
  std::string word_set(const std::string& word);
  std::string readable_namespaces();
  std::string found_in_namespace();
  std::string found_page();
  std::string whole_versions(const std::string& page);
  std::string whole_runs(const std::string& page);
  std::string version_metrics();
  std::string run_metrics();
  std::string named_metrics();

  void note_metrics(const SearchNode& node);

  const NamespaceViewer& viewer_;
  const SearchQuery& query_;
  const SearchPage& page_;
  Composer composer_;
  std::vector<const SearchNode*> of_namespaces_;  // tests of the namespace alone
  std::vector<const SearchNode*> others_;
  std::vector<std::string> metrics_;  // that the query names
  bool has_candidates_ = false;       // ids come from a set, not from the table
  bool needs_row_ = false;            // some test looks at the row
};

// --- the tree
// -----------------------------------------------------------------------------

// What must all be so, however nested.
void SearchSql::sort_conditions(const SearchNode& node) {
  if (node.kind == SearchNode::Kind::all_of) {
    for (const SearchNode& part : node.parts) sort_conditions(part);
    return;
  }
  const auto* text =
      node.condition ? std::get_if<TextCondition>(&*node.condition) : nullptr;
  const bool is_of_namespace = text != nullptr && text->field == Field::ns;
  (is_of_namespace ? of_namespaces_ : others_).push_back(&node);
}

void SearchSql::note_metrics(const SearchNode& node) {
  for (const SearchNode& part : node.parts) note_metrics(part);
  if (!node.condition) return;
  if (const auto* metric = std::get_if<MetricCondition>(&*node.condition)) {
    metrics_.push_back(metric->name);
  }
}

// Which condition leaves the fewest, by its kind: there are no statistics per namespace.
int SearchSql::rank(const SearchNode& node) const {
  if (!node.condition) return kNoCandidates;
  const auto by_comparison = [](Comparison comparison, int equal) {
    if (comparison == Comparison::not_equal) return kNoCandidates;
    return comparison == Comparison::equal ? equal : equal + 10;
  };
  struct {
    const decltype(by_comparison)& compared;
    int operator()(const DigestCondition&) const { return 0; }
    int operator()(const CommitCondition&) const { return 1; }
    int operator()(const TextCondition& text) const {
      return text.field == Field::alias && !is_anything(text.pattern) ? 2 : kNoCandidates;
    }
    int operator()(const ParameterCondition& parameter) const {
      return is_anything(parameter.pattern) ? 20 : compared(parameter.comparison, 3);
    }
    int operator()(const LabelCondition& label) const {
      return label.differs || is_anything(label.pattern) ? kNoCandidates : 5;
    }
    int operator()(const MetricCondition& metric) const {
      return compared(metric.comparison, 4);
    }
    int operator()(const WordsCondition&) const { return 6; }
    int operator()(const TimeCondition&) const { return kNoCandidates; }
  } const rank_of{by_comparison};

  const auto* metric = std::get_if<MetricCondition>(&*node.condition);
  if (metric != nullptr && is_of_a_run(*metric) && !of_runs()) return kNoCandidates;
  return std::visit(rank_of, *node.condition);
}

std::string SearchSql::test(const SearchNode& node) {
  switch (node.kind) {
    case SearchNode::Kind::condition: return test(*node.condition);
    case SearchNode::Kind::all_of: return joined(node, " and ", "true");
    case SearchNode::Kind::any_of: return joined(node, " or ", "false");
    case SearchNode::Kind::none_of: return "not " + joined(node, " or ", "false");
  }
  return "false";
}

std::string SearchSql::joined(const SearchNode& node, FixedSql separator,
                              FixedSql nothing) {
  std::string tests;
  for (const SearchNode& part : node.parts) {
    if (!tests.empty()) tests += separator.text;
    tests += test(part);
  }
  if (tests.empty()) tests = nothing.text;
  return "(" + tests + ")";
}

// --- conditions
// ---------------------------------------------------------------------------

std::string SearchSql::facts(const std::string& path) {
  return of_runs() ? composer_.piece(
                         "select f.run_id from run_fact f "
                         "where f.namespace_id = n.id and f.path = {}",
                         path)
                   : composer_.piece(
                         "select f.version_id from version_fact f "
                         "where f.namespace_id = n.id and f.path = {}",
                         path);
}

// PostgreSQL puts NaN above all numbers; for us it is neither above nor below.
std::string SearchSql::number_is(FixedSql column, Comparison comparison, double number) {
  const std::string name(column.text);
  switch (comparison) {
    case Comparison::equal: return name + composer_.piece(" = {}::float8", number);
    case Comparison::not_equal:
      return name + composer_.piece(" is distinct from {}::float8", number);
    case Comparison::less: return name + composer_.piece(" < {}::float8", number);
    case Comparison::less_or_equal: return name + composer_.piece(" <= {}::float8", number);
    case Comparison::greater:
      return name + composer_.piece(" > {}::float8 and ", number) + name + " < 'NaN'";
    case Comparison::greater_or_equal:
      return name + composer_.piece(" >= {}::float8 and ", number) + name + " < 'NaN'";
  }
  return "false";
}

std::string SearchSql::matches(FixedSql text, const TextPattern& pattern) {
  const std::string name(text.text);
  if (pattern.pieces.size() == 1) {
    return name + composer_.piece(" = {}::text", pattern.pieces[0]);
  }
  return name + composer_.piece(" like {}::text", like_pattern(pattern));
}

std::string SearchSql::set(const LabelCondition& label) {
  std::string set = facts("label." + label.key);
  if (is_anything(label.pattern) && !label.differs) return set;
  return set + (label.differs ? " and not " : " and ") + matches("f.text", label.pattern);
}

std::string SearchSql::set(const ParameterCondition& parameter) {
  std::string set = facts("param." + parameter.path);
  if (parameter.number) {
    return set + " and " + number_is("f.number", parameter.comparison, *parameter.number);
  }
  if (is_anything(parameter.pattern)) return set;
  if (parameter.comparison == Comparison::not_equal) {
    return set + composer_.piece(" and f.text is distinct from {}::text",
                                 parameter.pattern.pieces[0]);
  }
  return set + " and " + matches("f.text", parameter.pattern);
}

std::string SearchSql::set(const MetricCondition& metric) {
  if (metric.value == Of::evaluation || (metric.value == Of::own && !of_runs())) {
    const bool evaluated = metric.value == Of::evaluation;
    return facts((evaluated ? "evaluation." : "metric.") + metric.name) + " and " +
           number_is("f.number", metric.comparison, metric.number);
  }
  std::string set = composer_.piece(
      "select m.run_id from run_metric m where m.namespace_id = n.id and m.name = {} and ",
      metric.name);
  switch (metric.value) {
    case Of::run_min:
      return set + number_is("m.min_value", metric.comparison, metric.number);
    case Of::run_max:
      return set + number_is("m.max_value", metric.comparison, metric.number);
    default: return set + number_is("m.last_value", metric.comparison, metric.number);
  }
}

std::string SearchSql::set(const CommitCondition& commit) {
  return facts("commit") + composer_.piece(" and f.text >= {} and f.text < {}",
                                           commit.prefix, commit.prefix + "g");
}

std::string SearchSql::set(const DigestCondition& digest) {
  const auto bytes = digest.digest.bytes();
  const std::vector<std::byte> file(bytes.begin(), bytes.begin() + 16);
  return composer_.piece(
      "select e.id from artifact a"
      "  join version_file f on f.artifact_id = a.id and f.file = {}::bytea"
      "  join version e on e.artifact_id = a.id and e.number >= f.first_number"
      "                and e.number <= f.last_number"
      " where a.namespace_id = n.id and e.state <> 'deleted' "
      "union all "
      "select e.id from artifact a"
      "  join version e on e.artifact_id = a.id and e.digest = {}::bytea"
      " where a.namespace_id = n.id and e.state <> 'deleted'",
      file, digest.digest);
}

std::string SearchSql::word_set(const std::string& word) {
  return facts("word") + composer_.piece(
                             " and f.text >= lower({}::text)"
                             " and f.text < lower({}::text) || chr(1114111)",
                             word, word);
}

// All of the words, or all of the text within the name.
std::string SearchSql::set(const WordsCondition& condition) {
  std::string set;
  for (const std::string& word : words_of(condition.text)) {
    if (set.empty()) {
      set = word_set(word);
    } else {
      set += (of_runs() ? " and (f.run_id in (" : " and (f.version_id in (") +
             word_set(word) + ")) is true";
    }
  }
  if (of_runs()) return set.empty() ? "select 0 where false" : set;
  if (!set.empty()) set += " union all ";
  return set + composer_.piece(
                   "select e.id from artifact a join version e on e.artifact_id = a.id"
                   " where a.namespace_id = n.id and e.state <> 'deleted'"
                   " and position(lower({}::text) in a.folded_name) > 0",
                   condition.text);
}

std::string SearchSql::alias_set(const TextPattern& pattern) {
  return composer_.piece(
             "select l.version_id from artifact a cross join lateral ("
             "  select version_id from alias l where l.artifact_id = a.id and ") +
         matches("l.folded_name", pattern) + " offset 0) l where a.namespace_id = n.id";
}

std::string SearchSql::set(const SearchCondition& condition) {
  if (const auto* text = std::get_if<TextCondition>(&condition)) {
    return alias_set(text->pattern);
  }
  struct {
    SearchSql& sql;
    std::string operator()(const LabelCondition& c) const { return sql.set(c); }
    std::string operator()(const ParameterCondition& c) const { return sql.set(c); }
    std::string operator()(const MetricCondition& c) const { return sql.set(c); }
    std::string operator()(const CommitCondition& c) const { return sql.set(c); }
    std::string operator()(const DigestCondition& c) const { return sql.set(c); }
    std::string operator()(const WordsCondition& c) const { return sql.set(c); }
    std::string operator()(const TextCondition&) const { return {}; }
    std::string operator()(const TimeCondition&) const { return {}; }
  } const set_of{*this};
  return std::visit(set_of, condition);
}

std::string SearchSql::test(const TextCondition& text) {
  if (text.field == Field::ns) return matches("n.folded_name", text.pattern);
  needs_row_ = true;
  switch (text.field) {
    case Field::creator: return matches("lower(v.created_by collate \"C\")", text.pattern);
    case Field::state: return matches("v.state", text.pattern);
    case Field::status: return matches("v.status", text.pattern);
    case Field::name:
      if (of_runs()) return matches("lower(v.name collate \"C\")", text.pattern);
      return composer_.piece(
                 "(v.artifact_id in (select a.id from artifact a"
                 " where a.namespace_id = n.id and ") +
             matches("a.folded_name", text.pattern) + ")) is true";
    case Field::kind:
      return composer_.piece(
                 "(v.artifact_id in (select a.id from artifact a"
                 " where a.namespace_id = n.id and ") +
             matches("a.kind", text.pattern) + ")) is true";
    case Field::ns:
    case Field::alias: break;
  }
  return "false";
}

std::string SearchSql::test(const TimeCondition& time) {
  needs_row_ = true;
  const std::string when = of_runs() ? "v.started_at" : "v.created_at";
  std::string test = "true";
  if (time.from)
    test += " and " + when + composer_.piece(" >= {}::timestamptz", *time.from);
  if (time.until) {
    test += " and " + when + composer_.piece(" < {}::timestamptz", *time.until);
  }
  return "(" + test + ")";
}

std::string SearchSql::test(const SearchCondition& condition) {
  if (const auto* time = std::get_if<TimeCondition>(&condition)) return test(*time);
  const auto* text = std::get_if<TextCondition>(&condition);
  if (text != nullptr && text->field != Field::alias) return test(*text);

  const auto* metric = std::get_if<MetricCondition>(&condition);
  if (metric != nullptr && is_of_a_run(*metric) && !of_runs()) {
    needs_row_ = true;
    return "(v.run_id in (select r.uuid from run r where r.id = any(array(" +
           set(condition) + ")))) is true";
  }
  return (has_candidates_ ? "(x.id in (" : "(v.id in (") + set(condition) + ")) is true";
}

// --- the statement
// ------------------------------------------------------------------------

std::string SearchSql::readable_namespaces() {
  if (viewer_.sees_all) return "namespace n where true";
  std::string seen = "select id from namespace where visibility = 'public'";
  if (viewer_.sees_internal) {
    seen += " union select id from namespace where visibility = 'internal'";
  }
  if (viewer_.member) {
    seen += composer_.piece(
        " union select namespace_id from membership where principal_id = {}::bigint",
        *viewer_.member);
  }
  return "(" + seen + ") seen join namespace n on n.id = seen.id where true";
}

std::string SearchSql::found_in_namespace() {
  const auto best = std::ranges::min_element(
      others_, {}, [this](const SearchNode* node) { return rank(*node); });
  const SearchNode* driver =
      best != others_.end() && rank(**best) != kNoCandidates ? *best : nullptr;
  has_candidates_ = driver != nullptr;

  const std::string candidates = driver != nullptr ? set(*driver->condition) : "";
  std::string tests;
  for (const SearchNode* node : others_) {
    if (node != driver) tests += " and " + test(*node);
  }
  if (page_.before) {
    tests += (has_candidates_ ? " and x.id" : " and v.id") +
             composer_.piece(" < {}::bigint", *page_.before);
  }
  const std::string table = of_runs() ? "run v" : "version v";
  if (!has_candidates_) {
    return "select v.id from " + table + " where v.namespace_id = n.id" +
           (of_runs() ? "" : " and v.state <> 'deleted'") + tests + " order by v.id desc" +
           composer_.piece(" limit {}::bigint", page_.limit);
  }
  const std::string row = needs_row_ ? " cross join lateral (select v.* from " + table +
                                           " where v.id = x.id limit 1) v"
                                     : "";
  return "select distinct x.id from (" + candidates + " offset 0) x(id)" + row +
         " where true" + tests + " order by x.id desc" +
         composer_.piece(" limit {}::bigint", page_.limit);
}

std::string SearchSql::found_page() {
  std::string namespaces = readable_namespaces();
  if (viewer_.only_namespace) {
    namespaces += composer_.piece(" and n.id = {}::bigint", *viewer_.only_namespace);
  }
  for (const SearchNode* node : of_namespaces_) namespaces += " and " + test(*node);
  return "select found.id from (select n.id, n.folded_name from " + namespaces +
         ") n cross join lateral (" + found_in_namespace() +
         ") found order by found.id desc" +
         composer_.piece(" limit {}::bigint", page_.limit);
}

// All of them, unless they are very many.
std::string SearchSql::version_metrics() {
  const std::string chosen =
      metrics_.empty() ? composer_.piece("true limit {}::bigint", kMetricsShownMax)
                       : "key in (" + named_metrics() + ")";
  return "case when pg_column_size(v.metrics) < 2000 then v.metrics else"
         " (select coalesce(jsonb_object_agg(key, value), '{}') from"
         " (select key, value from jsonb_each(v.metrics) where " +
         chosen + ") m) end";
}

std::string SearchSql::whole_versions(const std::string& page) {
  return "select v.id, v.ns, v.artifact, v.kind, v.number, v.digest, v.state, v.created_at,"
         " v.created_by, left(v.message, 500), v.labels, " +
         version_metrics() +
         ", (select coalesce(json_agg(l.name order by l.folded_name), '[]')"
         "    from alias l where l.version_id = v.id),"
         " v.size_bytes, v.file_count, v.hyperparameters,"
         " coalesce(v.source ->> 'commit', '')"
         " from (" +
         page +
         ") page cross join lateral ("
         "  select v.*, a.name as artifact, a.kind, s.name as ns"
         "    from version v join artifact a on a.id = v.artifact_id"
         "    join namespace s on s.id = v.namespace_id"
         "   where v.id = page.id limit 1) v order by v.id desc";
}

std::string SearchSql::named_metrics() {
  std::string named;
  for (const std::string& name : metrics_) {
    named += (named.empty() ? "" : ", ") + composer_.piece("{}::text", name);
  }
  return named;
}

std::string SearchSql::run_metrics() {
  if (metrics_.empty()) {
    return "(select coalesce(json_object_agg(m.name, m.last_value), '{}') from"
           " (select name, last_value from run_metric"
           "   where run_id = v.id and last_value is not null order by name" +
           composer_.piece(" limit {}::bigint", kMetricsShownMax) + ") m)";
  }
  return "(select coalesce(json_object_agg(m.name, m.last_value), '{}') from run_metric m"
         " where m.run_id = v.id and m.last_value is not null and m.name in (" +
         named_metrics() + "))";
}

std::string SearchSql::whole_runs(const std::string& page) {
  return "select v.id, v.uuid, v.ns, v.name, v.status, v.started_at, v.finished_at,"
         " v.created_by, left(v.message, 500), v.labels, " +
         run_metrics() + ", v.hyperparameters, coalesce(v.source ->> 'commit', '') from (" +
         page +
         ") page cross join lateral ("
         "  select v.*, s.name as ns"
         "    from run v join namespace s on s.id = v.namespace_id"
         "   where v.id = page.id limit 1) v order by v.id desc";
}

ComposedStatement SearchSql::compose() && {
  sort_conditions(query_.root);
  note_metrics(query_.root);
  const std::string page = found_page();
  return std::move(composer_).finish(of_runs() ? whole_runs(page) : whole_versions(page));
}

}  // namespace

ComposedStatement compose_search(const NamespaceViewer& viewer, const SearchQuery& query,
                                 const SearchPage& page) {
  return SearchSql(viewer, query, page).compose();
}

}  // namespace mendel::schema
