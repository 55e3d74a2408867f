#include "cli/pedigree_text.h"

#include <gtest/gtest.h>

namespace mendel::cli {
namespace {

Json version(const std::string& ref, const std::string& kind, int depth) {
  return {{"ref", ref},
          {"kind", kind},
          {"digest", "sha256:" + std::string(64, 'a')},
          {"state", "active"},
          {"aliases", Json::array()},
          {"depth", depth}};
}

Json edge(const std::string& from, const std::string& to, const std::string& role,
          const std::string& name = "") {
  Json edge = {{"from", from}, {"to", to}, {"role", role}};
  if (!name.empty()) edge["name"] = name;
  return edge;
}

// A model set of two models that share a dataset; one is fine-tuned from an older one.
Json model_set() {
  Json trk = version("lhcb/trk:2", "model", 1);
  trk["aliases"] = {"production", "2016MU"};
  trk["commit"] = std::string(40, '3');
  trk["run"] = "01900000-0000-7000-8000-000000000001";
  Json parent = version("lhcb/trk:1", "model", 2);
  parent["state"] = "yanked";
  return {{"nodes",
           {version("lhcb/set:1", "model", 0),
            trk,
            version("lhcb/pid:1", "model", 1),
            version("lhcb/calib:3", "dataset", 2),
            parent,
            {{"uri", "docker://reg/py\"3\\11"}, {"verifiable", false}, {"depth", 2}},
            {{"uri", "root://eos//f"},
             {"verifiable", true},
             {"digest", "sha256:" + std::string(64, 'b')},
             {"depth", 3}}}},
          {"edges",
           {edge("lhcb/set:1", "lhcb/trk:2", "component", "tracking"),
            edge("lhcb/set:1", "lhcb/pid:1", "component", "pid"),
            edge("lhcb/trk:2", "lhcb/calib:3", "trained-on"),
            edge("lhcb/trk:2", "lhcb/trk:1", "parent"),
            edge("lhcb/trk:2", "docker://reg/py\"3\\11", "environment"),
            edge("lhcb/pid:1", "lhcb/calib:3", "trained-on", "data"),
            edge("lhcb/calib:3", "root://eos//f", "trained-on"),
            edge("lhcb/trk:1", "lhcb/calib:3", "trained-on")}},
          {"hidden", 2}};
}

TEST(PedigreeText, DrawsWhatMadeAVersion) {
  EXPECT_EQ(pedigree_tree(model_set(), PedigreeDirection::up, kUnicodeGlyphs),
            R"(lhcb/set:1 (model)
├─ component tracking = lhcb/trk:2 (model) @production @2016MU commit 333333333333 run 01900000-0000-7000-8000-000000000001
│  ├─ trained-on lhcb/calib:3 (dataset)
│  │  └─ trained-on root://eos//f (external, sha256:bbbbbbbbbbbb)
│  ├─ parent lhcb/trk:1 (model, yanked)
│  │  └─ trained-on lhcb/calib:3 (dataset) (see above)
│  └─ environment docker://reg/py"3\11 (external, unverifiable)
└─ component pid = lhcb/pid:1 (model)
   └─ trained-on data = lhcb/calib:3 (dataset) (see above)
and 2 that you may not read
)");
}

TEST(PedigreeText, DrawsWhatAVersionReached) {
  Json reached = {{"nodes",
                   {version("lhcb/calib:3", "dataset", 0),
                    version("lhcb/trk:2", "model", 1), version("lhcb/set:1", "model", 2)}},
                  {"edges",
                   {edge("lhcb/trk:2", "lhcb/calib:3", "trained-on"),
                    edge("lhcb/set:1", "lhcb/trk:2", "component", "tracking")}},
                  {"hidden", 0}};
  reached["nodes"][2]["aliases"] = {"production"};
  EXPECT_EQ(pedigree_tree(reached, PedigreeDirection::down, kAsciiGlyphs),
            R"(lhcb/calib:3 (dataset)
`- trained-on <- lhcb/trk:2 (model)
   `- component tracking <- lhcb/set:1 (model) @production
)");
}

TEST(PedigreeText, DrawsOneThatIsDeeperThanAStack) {
  Json chain = {{"nodes", Json::array()}, {"edges", Json::array()}, {"hidden", 0}};
  constexpr int kDepth = 3000;
  const auto name = [](int i) { return "lhcb/x:" + std::to_string(i); };
  for (int i = kDepth; i > 0; --i) {
    chain["nodes"].push_back(version(name(i), "model", kDepth - i));
    if (i > 1) chain["edges"].push_back(edge(name(i), name(i - 1), "parent"));
  }
  const std::string tree = pedigree_tree(chain, PedigreeDirection::up, kAsciiGlyphs);
  EXPECT_EQ(std::ranges::count(tree, '\n'), kDepth);
  EXPECT_TRUE(tree.ends_with("`- parent lhcb/x:1 (model)\n"));
}

TEST(PedigreeText, LetsNoNameSpeakToTheTerminal) {
  Json pedigree = {{"nodes",
                    {version("lhcb/x:1", "model", 0),
                     {{"uri", "http://a\x1b[2J"}, {"verifiable", false}, {"depth", 1}}}},
                   {"edges", {edge("lhcb/x:1", "http://a\x1b[2J", "trained-on")}},
                   {"hidden", 0}};
  for (const std::string& text :
       {pedigree_tree(pedigree, PedigreeDirection::up, kAsciiGlyphs),
        pedigree_dot(pedigree)}) {
    EXPECT_EQ(text.find('\x1b'), text.npos);
  }
}

TEST(PedigreeText, WritesGraphviz) {
  Json pedigree = model_set();
  pedigree["nodes"] = {pedigree["nodes"][1], pedigree["nodes"][4], pedigree["nodes"][5],
                       pedigree["nodes"][6]};
  pedigree["edges"] = {pedigree["edges"][0], pedigree["edges"][4]};
  EXPECT_EQ(pedigree_dot(pedigree), R"(digraph pedigree {
  rankdir=LR;
  node [shape=box];
  "lhcb/trk:2" [label="lhcb/trk:2\nmodel @production @2016MU commit 333333333333 run 01900000-0000-7000-8000-000000000001"];
  "lhcb/trk:1" [label="lhcb/trk:1\nmodel, yanked", color=gray, fontcolor=gray];
  "docker://reg/py\"3\\11" [label="docker://reg/py\"3\\11\nexternal, unverifiable", style=dashed, color=red];
  "root://eos//f" [label="root://eos//f\nexternal, sha256:bbbbbbbbbbbb", style=dashed];
  "lhcb/set:1" -> "lhcb/trk:2" [label="component tracking"];
  "lhcb/trk:2" -> "docker://reg/py\"3\\11" [label="environment"];
  "hidden" [label="2 that you may not read", shape=plaintext];
}
)");
}

}  // namespace
}  // namespace mendel::cli
