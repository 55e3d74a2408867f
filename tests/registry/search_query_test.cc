#include "registry/services/search_query.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <variant>

#include "storage/base/error.h"

namespace mendel::registry {
namespace {

using schema::Comparison;
using schema::SearchNode;
using schema::SearchTarget;

// A query tree as text, for comparing: (all kind=model (not state=yanked)).
class Writer {
 public:
  static std::string write(const SearchNode& node) {
    if (node.condition) return std::visit(Writer(), *node.condition);
    constexpr const char* kNames[] = {"", "all", "any", "none"};
    std::string text = std::string("(") + kNames[static_cast<int>(node.kind)];
    for (const SearchNode& part : node.parts) text += " " + write(part);
    return text + ")";
  }

  std::string operator()(const schema::TextCondition& c) const {
    constexpr const char* kNames[] = {"kind",  "namespace", "name",  "creator",
                                      "alias", "state",     "status"};
    return kNames[static_cast<int>(c.field)] + write(c.pattern);
  }
  std::string operator()(const schema::LabelCondition& c) const {
    return "label." + c.key + (c.differs ? "!" : "") + write(c.pattern);
  }
  std::string operator()(const schema::ParameterCondition& c) const {
    return "param." + c.path + write(c.comparison) +
           (c.number ? write(*c.number) : "'" + write(c.pattern).substr(1) + "'");
  }
  std::string operator()(const schema::MetricCondition& c) const {
    constexpr const char* kNames[] = {"own", "last", "min", "max", "evaluation"};
    return std::string(kNames[static_cast<int>(c.value)]) + "." + c.name +
           write(c.comparison) + write(c.number);
  }
  std::string operator()(const schema::CommitCondition& c) const {
    return "commit=" + c.prefix;
  }
  std::string operator()(const schema::DigestCondition& c) const {
    return "digest=" + c.digest.hex().substr(0, 4);
  }
  std::string operator()(const schema::TimeCondition& c) const {
    return "time[" + (c.from ? format_rfc3339(*c.from) : "") + "," +
           (c.until ? format_rfc3339(*c.until) : "") + ")";
  }
  std::string operator()(const schema::WordsCondition& c) const {
    return "'" + c.text + "'";
  }

 private:
  static std::string write(const schema::TextPattern& pattern) {
    std::string text = "=";
    for (std::size_t i = 0; i < pattern.pieces.size(); ++i) {
      text += (i > 0 ? "%" : "") + pattern.pieces[i];
    }
    return text;
  }
  static std::string write(Comparison comparison) {
    constexpr const char* kNames[] = {"=", "!=", "<", "<=", ">", ">="};
    return kNames[static_cast<int>(comparison)];
  }
  static std::string write(double number) {
    std::string text = std::to_string(number);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
  }
};

std::string tree_of(const std::string& text) {
  const auto query = parse_search(text);
  return (query.target == SearchTarget::runs ? "runs " : "") + Writer::write(query.root);
}

const std::string kDigest(64, 'a');

struct Meaning {
  std::string text;
  std::string tree;
};

class SearchQueryMeans : public ::testing::TestWithParam<Meaning> {};

TEST_P(SearchQueryMeans, ThisTree) {
  EXPECT_EQ(tree_of(GetParam().text), GetParam().tree) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Grammar, SearchQueryMeans,
    ::testing::Values(
        Meaning{"", "(all)"}, Meaning{" \t\n", "(all)"},
        Meaning{"tracking", "(all 'tracking')"}, Meaning{"a b", "(all (all 'a' 'b'))"},
        Meaning{"a AND b", "(all (all 'a' 'b'))"},
        Meaning{"a OR b c", "(all (any 'a' (all 'b' 'c')))"},
        Meaning{"(a OR b) c", "(all (all (any 'a' 'b') 'c'))"},
        Meaning{"NOT a b", "(all (all (none 'a') 'b'))"}, Meaning{"-a", "(all (none 'a'))"},
        Meaning{"- (a OR -b)", "(all (none (any 'a' (none 'b'))))"},
        Meaning{"\"OR\" ORACLE android", "(all (all 'OR' 'ORACLE' 'android'))"},
        Meaning{"\"two words\"", "(all 'two words')"},
        Meaning{R"("a \"b\" \\")", R"((all 'a "b" \'))"},
        Meaning{"(a)(b)", "(all (all 'a' 'b'))"}, Meaning{"val-loss", "(all 'val-loss')"},
        Meaning{"Größe", "(all 'Größe')"}));

INSTANTIATE_TEST_SUITE_P(
    Fields, SearchQueryMeans,
    ::testing::Values(
        Meaning{"kind:model", "(all kind=model)"},
        Meaning{"kind != model", "(all (none kind=model))"},
        Meaning{"namespace:LHCb", "(all namespace=lhcb)"},
        Meaning{"name:Lamarr-*", "(all name=lamarr-%)"},
        Meaning{"name=lamarr-*", "(all name=lamarr-*)"},
        Meaning{"name:*a**b*", "(all name=%a%%b%)"},
        Meaning{"name:LHCb/lamarr-*", "(all (all namespace=lhcb name=lamarr-%))"},
        Meaning{"name!=lhcb/x", "(all (none (all namespace=lhcb name=x)))"},
        Meaning{"label.data-taking:2016*", "(all label.data-taking=2016%)"},
        Meaning{"label.\"data taking\" != \"2016 MU\"", "(all label.data taking!=2016 MU)"},
        Meaning{"label.a.b:*", "(all label.a.b=%)"},
        Meaning{"creator:Lamarr-CI", "(all creator=lamarr-ci)"},
        Meaning{"alias:Production", "(all alias=production)"},
        Meaning{"NOT alias:*", "(all (none alias=%))"},
        Meaning{"state:yanked", "(all state=yanked)"},
        Meaning{"is:run status:failed", "runs (all (all (all) status=failed))"},
        Meaning{"status:failed is:run", "runs (all (all status=failed (all)))"},
        Meaning{"is:version a", "(all (all (all) 'a'))"},
        Meaning{"commit:ABCDEF0", "(all commit=abcdef0)"},
        Meaning{"commit!=abcdef0123", "(all (none commit=abcdef0123))"},
        Meaning{"sha256:" + kDigest, "(all digest=aaaa)"},
        Meaning{"digest:sha256:" + kDigest, "(all digest=aaaa)"}));

INSTANTIATE_TEST_SUITE_P(
    Numbers, SearchQueryMeans,
    ::testing::Values(Meaning{"param.training.lr < 0.001", "(all param.training.lr<0.001)"},
                      Meaning{"param.lr<=1e-3", "(all param.lr<=0.001)"},
                      Meaning{"param.n>-3", "(all param.n>-3)"},
                      Meaning{"param.n:128", "(all param.n=128)"},
                      Meaning{"param.n=\"128\"", "(all param.n='128')"},
                      Meaning{"param.optimizer:adam*", "(all param.optimizer='adam%')"},
                      Meaning{"param.optimizer!=sgd", "(all param.optimizer!='sgd')"},
                      Meaning{"param.x:inf", "(all param.x='inf')"},
                      Meaning{"metric.chi2_ndf < 3", "(all own.chi2_ndf<3)"},
                      Meaning{"metric.loss.min<0.1", "(all min.loss<0.1)"},
                      Meaning{"metric.loss.last>=2", "(all last.loss>=2)"},
                      Meaning{"metric.loss.max:2", "(all max.loss=2)"},
                      Meaning{"metric.pt.min.max!=2", "(all max.pt.min!=2)"},
                      Meaning{"metric.\"pt.min\">2", "(all own.pt.min>2)"},
                      Meaning{"metric.\"val loss\".min>2", "(all min.val loss>2)"},
                      Meaning{"metric.min>2", "(all own.min>2)"},
                      Meaning{"metric.loss=NaN", "(all own.loss=nan)"},
                      Meaning{"metric.loss<-Infinity", "(all own.loss<-inf)"},
                      Meaning{"evaluation.chi2_ndf < 2.5",
                              "(all evaluation.chi2_ndf<2.5)"}));

INSTANTIATE_TEST_SUITE_P(
    Times, SearchQueryMeans,
    ::testing::Values(
        Meaning{"created:2024-02-13",
                "(all time[2024-02-13T00:00:00Z,2024-02-14T00:00:00Z))"},
        Meaning{"created!=2024-02-13",
                "(all (none time[2024-02-13T00:00:00Z,2024-02-14T00:00:00Z)))"},
        Meaning{"created<2024-02-13", "(all time[,2024-02-13T00:00:00Z))"},
        Meaning{"created<=2024-02-13", "(all time[,2024-02-14T00:00:00Z))"},
        Meaning{"created>2024-02-13", "(all time[2024-02-14T00:00:00Z,))"},
        Meaning{"created>=2024-02-13", "(all time[2024-02-13T00:00:00Z,))"},
        Meaning{"created>=2024-02-13T12:00:00+01:00", "(all time[2024-02-13T11:00:00Z,))"},
        Meaning{"created>2024-02-13T12:00:00Z",
                "(all time[2024-02-13T12:00:00.000001Z,))"}));

struct Mistake {
  std::string text;
  int character;
  std::string expected;
};

class SearchQueryRefuses : public ::testing::TestWithParam<Mistake> {};

TEST_P(SearchQueryRefuses, AndSaysWhere) {
  try {
    parse_search(GetParam().text);
    FAIL() << GetParam().text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    const std::string place =
        "the search, at character " + std::to_string(GetParam().character) + ": ";
    EXPECT_EQ(std::string(error.what()).substr(0, place.size()), place) << error.what();
    EXPECT_NE(std::string(error.what()).find(GetParam().expected), std::string::npos)
        << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, SearchQueryRefuses,
    ::testing::Values(
        Mistake{"OR a", 1, "expected something"}, Mistake{"a OR", 5, "expected something"},
        Mistake{"a AND ", 7, "expected something"}, Mistake{"NOT", 4, "expected something"},
        Mistake{"(a", 1, "not closed"}, Mistake{"a)", 2, "nothing that this ) closes"},
        Mistake{"()", 2, "expected something"}, Mistake{"a \"b", 3, "quote is not closed"},
        Mistake{R"("a\b")", 4, "after a \\"},
        Mistake{"kind:", 6, "expected a value after kind:"},
        Mistake{"kind: )", 7, "expected a value"}, Mistake{"a :b", 1, "no field"},
        Mistake{"größe < 3", 1, "no field 'größe'"},
        Mistake{"ü http://x", 3, "no field 'http'"},
        Mistake{"< 3", 1, "expected a field before <"}, Mistake{"kind<model", 1, "not <"},
        Mistake{"kind:tool", 6, "expected model, dataset, environment"},
        Mistake{"state:deleted", 7, "expected active, yanked"},
        Mistake{"is:run status:done", 15, "expected running"},
        Mistake{"param.lr<fast", 10, "expected a number after <"},
        Mistake{"param.=3", 1, "expected a name"},
        Mistake{"metric.loss<low", 13, "a number"},
        Mistake{"metric.=1", 1, "expected a name"},
        Mistake{"label.:1", 1, "expected a name"},
        Mistake{"created>yesterday", 9, "expected a date"},
        Mistake{"created>2024-02-30", 9, "expected a date"},
        Mistake{"created>0001-01-01", 9, "a year"}, Mistake{"commit:abcdef", 8, "7 to 64"},
        Mistake{"commit:mainmain", 8, "hexadecimal"}, Mistake{"sha256:abc", 8, "64"},
        Mistake{"digest:abc", 8, "64"}, Mistake{"alias!=production", 1, "NOT alias"},
        Mistake{"status:failed", 1, "write is:run"},
        Mistake{"a is:run kind:model", 10, "a run has no kind"},
        Mistake{"is:run OR a", 1, "outside of OR"},
        Mistake{"a OR is:run", 6, "outside of OR"},
        Mistake{"NOT is:run", 5, "outside of OR"}, Mistake{"(is:run)", 2, "outside of OR"},
        Mistake{"is:run is:version", 8, "not for both"},
        Mistake{"is:job", 1, "is:run or is:version"},
        Mistake{"ä ö is=run", 5, "is:run or is:version"}));

TEST(SearchQuery, HasLimits) {
  std::string terms;
  for (std::size_t i = 0; i < kSearchTermsMax; ++i) terms += "a ";
  EXPECT_NO_THROW(parse_search(terms));
  EXPECT_THROW(parse_search(terms + "a"), Error);

  const auto nested = [](std::size_t depth) {
    return std::string(depth, '(') + "a" + std::string(depth, ')');
  };
  EXPECT_NO_THROW(parse_search(nested(kSearchDepthMax - 1)));
  EXPECT_THROW(parse_search(nested(kSearchDepthMax)), Error);
  EXPECT_THROW(parse_search(std::string(kSearchDepthMax, '-') + "a"), Error);

  EXPECT_NO_THROW(parse_search(std::string(kSearchSizeMax, 'a')));
  EXPECT_THROW(parse_search(std::string(kSearchSizeMax + 1, 'a')), Error);
  EXPECT_THROW(parse_search("a\xff"), Error);
  EXPECT_THROW(parse_search(std::string("a\0", 2)), Error);
}

}  // namespace
}  // namespace mendel::registry
