// YAML 1.2 with its core schema, from yaml-cpp's events: that library knows the grammar,
// and what a plain scalar means is decided here, as section 10.3.2 of the specification has
// it.
//
//   null   null Null NULL ~ and nothing        bool    true True TRUE false False FALSE
//   int    [-+]?[0-9]+  0o[0-7]+  0x[0-9a-fA-F]+
//   float  [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?  [-+]?\.inf  \.nan
//
// Everything else, and whatever is quoted, is text: no, yes, on, 1_000, 12:30 among it.
// Beyond the schema, '<<' merges, as parameter files have it.

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <set>
#include <sstream>

#include "cli/params_place.h"
#include "storage/base/error.h"

namespace mendel::cli {

namespace {

using nlohmann::json;

constexpr std::size_t kDocumentsMax = 1000;
constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";
constexpr const char* kPlain = "?";  // yaml-cpp's words for tags that were not written
constexpr const char* kQuoted = "!";

std::size_t line_of(const YAML::Mark& mark) { return std::size_t(mark.line) + 1; }

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_null(std::string_view text) {
  return is_one_of(text, {"", "~", "null", "Null", "NULL"});
}
bool is_true(std::string_view text) { return is_one_of(text, {"true", "True", "TRUE"}); }
bool is_false(std::string_view text) {
  return is_one_of(text, {"false", "False", "FALSE"});
}

std::string_view without_sign(std::string_view text) {
  return text.starts_with('+') || text.starts_with('-') ? text.substr(1) : text;
}

std::size_t count_digits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

bool has_only(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == text.npos;
}

struct Integer {
  std::string_view digits;
  bool negative;
  int base;
};

std::optional<Integer> find_integer(std::string_view text) {
  if (text.starts_with("0o") && has_only(text.substr(2), "01234567")) {
    return Integer{text.substr(2), false, 8};
  }
  if (text.starts_with("0x") && has_only(text.substr(2), "0123456789abcdefABCDEF")) {
    return Integer{text.substr(2), false, 16};
  }
  const std::string_view digits = without_sign(text);
  if (!has_only(digits, "0123456789")) return std::nullopt;
  return Integer{digits, text.starts_with('-'), 10};
}

bool is_float(std::string_view text) {
  text = without_sign(text);
  const std::size_t whole = count_digits(text);
  text.remove_prefix(whole);
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    fraction = count_digits(text.substr(1));
    text.remove_prefix(1 + fraction);
  }
  if (whole + fraction == 0) return false;
  if (text.empty()) return true;
  return (text[0] == 'e' || text[0] == 'E') &&
         has_only(without_sign(text.substr(1)), "0123456789");
}

bool is_not_finite(std::string_view text) {
  return is_one_of(without_sign(text), {".inf", ".Inf", ".INF"}) ||
         is_one_of(text, {".nan", ".NaN", ".NAN"});
}

// One that is open: what it holds so far and, of a mapping, the name whose value comes
// next.
struct Collection {
  json value;
  YAML::anchor_t anchor = 0;
  std::size_t size_before = 0;  // of the document, when it was opened
  std::optional<std::string> name = std::nullopt;
  bool is_merge = false;  // the value that comes next is of '<<'
  json merged = nullptr;  // what '<<' brings; names of its own come first
};

struct Anchored {
  json value;
  std::size_t values = 0;
  std::size_t bytes = 0;
};

class Builder : public YAML::EventHandler {
 public:
  explicit Builder(Lossy lossy) : place_(lossy) {}

  json take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add_scalar(mark, kPlain, anchor, "");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    add_scalar(mark, tag, anchor, value);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (awaits_name()) refuse(mark, "has an alias as a name: write the text itself");
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(mark, "is an alias of something that contains it");
    begin_value(mark);
    count(found->second.values, found->second.bytes);
    add(mark, found->second.value);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, "seq", anchor, json::array());
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, "map", anchor, json::object());
  }

  void OnMapEnd() override {
    Collection& map = open_.back();
    if (!map.merged.is_null()) {
      map.merged.update(map.value);
      map.value = std::move(map.merged);
    }
    close();
  }

 private:
  [[noreturn]] void refuse(const YAML::Mark& mark, const std::string& rule) const {
    place_.refuse(line_of(mark), rule);
  }

  void count(std::size_t values, std::size_t bytes) {
    place_.count(values, bytes);
    values_ += values;
    bytes_ += bytes;
  }

  bool awaits_name() const {
    return !open_.empty() && open_.back().value.is_object() && !open_.back().name;
  }

  void add_scalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) {
    if (awaits_name()) return add_name(mark, tag, anchor, text);
    begin_value(mark);
    count(1, text.size());
    json value = resolve(mark, tag, text);
    remember(anchor, value, 1, text.size());
    add(mark, std::move(value));
  }

  void add_name(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) {
    if (anchor != 0) refuse(mark, "has an anchor on the name " + text);
    Collection& map = open_.back();
    map.is_merge = tag == kPlain && text == "<<";
    const json name = map.is_merge ? json(text) : resolve(mark, tag, text);
    if (!name.is_string()) {
      refuse(mark, "has the name " + (text.empty() ? "null" : text) +
                       ", which is not text: write it in quotes");
    }
    const bool twice = map.is_merge ? !map.merged.is_null() : map.value.contains(text);
    if (twice) refuse(mark, "has the name '" + text + "' twice");
    count(0, text.size());
    map.name = text;
  }

  // Once it is known that a value comes, and before it is looked at.
  void begin_value(const YAML::Mark& mark) {
    if (open_.empty()) return;
    if (awaits_name()) refuse(mark, "has a list or a mapping as a name");
    const Collection& parent = open_.back();
    parent.name ? place_.enter(*parent.name) : place_.enter(parent.value.size());
  }

  void open(const YAML::Mark& mark, const std::string& tag, std::string_view expected,
            YAML::anchor_t anchor, json empty) {
    begin_value(mark);
    if (tag != kPlain && tag != kQuoted && !tag.empty() &&
        tag != std::string(kTagPrefix) + std::string(expected)) {
      refuse(mark, "has the tag " + tag + ", which is none of the core schema");
    }
    const std::size_t before = values_;
    count(1, 0);
    open_.push_back({.value = std::move(empty), .anchor = anchor, .size_before = before});
    opened_at_.push_back({mark, bytes_});
  }

  void close() {
    Collection closed = std::move(open_.back());
    const auto [mark, bytes_before] = opened_at_.back();
    open_.pop_back();
    opened_at_.pop_back();
    remember(closed.anchor, closed.value, values_ - closed.size_before,
             bytes_ - bytes_before);
    add(mark, std::move(closed.value));
  }

  // What an alias brings counts as if it were written out, and so does keeping it.
  void remember(YAML::anchor_t anchor, const json& value, std::size_t values,
                std::size_t bytes) {
    if (anchor == 0) return;
    place_.count(values, bytes);
    anchors_[anchor] = {value, values, bytes};
  }

  void add(const YAML::Mark& mark, json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Collection& parent = open_.back();
    if (!parent.name) {
      parent.value.push_back(std::move(value));
    } else if (parent.is_merge) {
      merge(mark, parent, value);
    } else {
      parent.value[*parent.name] = std::move(value);
    }
    parent.name.reset();
    parent.is_merge = false;
    place_.leave();
  }

  // Of several mappings, the first that has a name decides.
  void merge(const YAML::Mark& mark, Collection& map, const json& value) const {
    const json list = value.is_array() ? value : json::array({value});
    map.merged = json::object();
    for (const json& source : list) {
      if (!source.is_object()) refuse(mark, "merges something that is no mapping");
      for (const auto& [name, member] : source.items()) {
        if (!map.merged.contains(name)) map.merged[name] = member;
      }
    }
  }

  json resolve(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
    if (tag == kQuoted) return place_.text(text, line_of(mark));
    if (tag == kPlain || tag.empty()) return resolve_plain(mark, text);
    if (!tag.starts_with(kTagPrefix)) refuse_tag(mark, tag);
    return resolve_tagged(mark, tag.substr(kTagPrefix.size()), text);
  }

  json resolve_plain(const YAML::Mark& mark, const std::string& text) const {
    const std::size_t line = line_of(mark);
    if (is_null(text)) return nullptr;
    if (is_true(text)) return true;
    if (is_false(text)) return false;
    if (is_not_finite(text)) return place_.not_finite(text, line);
    if (const auto integer = find_integer(text)) {
      return place_.integer(text, integer->digits, integer->negative, integer->base, line);
    }
    return is_float(text) ? place_.floating(text, line) : place_.text(text, line);
  }

  json resolve_tagged(const YAML::Mark& mark, const std::string& type,
                      const std::string& text) const {
    if (type == "str") return place_.text(text, line_of(mark));
    if (type == "float" && find_integer(text)) {
      return place_.floating(text, line_of(mark));
    }
    const json value = resolve_plain(mark, text);
    const bool fits = (type == "null" && is_null(text)) ||
                      (type == "bool" && value.is_boolean()) ||
                      (type == "int" && find_integer(text)) ||
                      (type == "float" && (is_float(text) || is_not_finite(text)));
    if (fits) return value;
    if (!is_one_of(type, {"null", "bool", "int", "float"})) {
      refuse_tag(mark, std::string(kTagPrefix) + type);
    }
    refuse(mark, "is " + text + ", which is no !!" + type);
  }

  [[noreturn]] void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    refuse(mark, "has the tag " + tag + ", which is none of the core schema");
  }

  struct Opened {
    YAML::Mark mark;
    std::size_t bytes_before;
  };

  ParamsPlace place_;
  json root_;
  std::vector<Collection> open_;
  std::vector<Opened> opened_at_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t values_ = 0;
  std::size_t bytes_ = 0;
};

// Looks at the grammar alone.
struct Nothing : YAML::EventHandler {
  using Mark = YAML::Mark;
  using Anchor = YAML::anchor_t;
  using Text = std::string;
  void OnDocumentStart(const Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const Mark&, Anchor) override {}
  void OnAlias(const Mark&, Anchor) override {}
  void OnScalar(const Mark&, const Text&, Anchor, const Text&) override {}
  void OnSequenceStart(const Mark&, const Text&, Anchor,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const Mark&, const Text&, Anchor, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// What is no YAML at all is found before its first events, which may make no sense, are
// taken for something that they are not.
void require_one_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Nothing nothing;
  parser.HandleNextDocument(nothing);
  if (parser.HandleNextDocument(nothing)) {
    throw Error(ErrorCode::invalid_argument,
                "the hyperparameters are more than one YAML document");
  }
}

// The library takes a ']' that closes nothing for a document of its own, again and again.
[[noreturn]] void refuse_documents() {
  throw Error(
      ErrorCode::invalid_argument,
      "this is not YAML, or has more than " + std::to_string(kDocumentsMax) + " documents");
}

}  // namespace

std::vector<json> read_yaml_documents(std::string_view text) {
  const std::string owned(text);
  std::vector<json> documents;
  try {
    std::istringstream unread(owned);
    YAML::Parser grammar(unread);
    Nothing nothing;
    for (std::size_t count = 0; grammar.HandleNextDocument(nothing);) {
      if (++count > kDocumentsMax) refuse_documents();
    }
    std::istringstream stream(owned);
    YAML::Parser parser(stream);
    for (;;) {
      Builder builder(Lossy::refuse);
      if (!parser.HandleNextDocument(builder)) return documents;
      documents.push_back(builder.take());
    }
  } catch (const YAML::Exception& error) {
    fail(ErrorCode::invalid_argument, "this is not YAML", error);
  }
}

json read_yaml_params(std::string_view text, Lossy lossy) {
  const std::string owned(text);
  Builder builder(lossy);
  try {
    require_one_document(owned);
    std::istringstream stream(owned);
    YAML::Parser(stream).HandleNextDocument(builder);
  } catch (const YAML::Exception& error) {
    fail(ErrorCode::invalid_argument, "the hyperparameters are not YAML", error);
  }
  return builder.take();
}

}  // namespace mendel::cli
