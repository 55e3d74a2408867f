#include "cli/pedigree_text.h"

#include <fmt/core.h>

#include <map>
#include <set>
#include <vector>

#include "cli/output.h"

namespace mendel::cli {

const TreeGlyphs kUnicodeGlyphs{"├─ ", "└─ ", "│  ", "   ", "←"};
const TreeGlyphs kAsciiGlyphs{"|- ", "`- ", "|  ", "   ", "<-"};

namespace {

constexpr std::size_t kShortDigestSize = 19;  // "sha256:" and 12 digits
constexpr std::size_t kShortCommitSize = 12;

// What a node is called in edges.
std::string name_of(const Json& node) {
  return text_of(node, node.contains("ref") ? "ref" : "uri");
}

std::string kind_of(const Json& node) {
  if (node.contains("ref")) {
    const std::string state = text_of(node, "state");
    return text_of(node, "kind") + (state == "active" || state.empty() ? "" : ", " + state);
  }
  const bool verifiable = node.value("verifiable", false);
  return "external, " + (verifiable ? text_of(node, "digest").substr(0, kShortDigestSize)
                                    : "unverifiable");
}

// What points at it, and where it came from.
std::vector<std::string> marks_of(const Json& node) {
  std::vector<std::string> marks;
  for (const Json& alias : node.value("aliases", Json::array())) {
    marks.push_back("@" + alias.get<std::string>());
  }
  const std::string commit = text_of(node, "commit");
  if (!commit.empty()) marks.push_back("commit " + commit.substr(0, kShortCommitSize));
  if (node.contains("run")) marks.push_back("run " + text_of(node, "run"));
  return marks;
}

std::string describe(const Json& node) {
  std::string text = fmt::format("{} ({})", name_of(node), kind_of(node));
  for (const std::string& mark : marks_of(node)) text += " " + mark;
  return printable(text);
}

// Edges by the end that a walk comes from, in their order.
class Graph {
 public:
  Graph(const Json& pedigree, PedigreeDirection direction) : direction_(direction) {
    for (const Json& node : pedigree.at("nodes")) nodes_.emplace(name_of(node), &node);
    for (const Json& edge : pedigree.at("edges"))
      edges_[text_of(edge, near())].push_back(&edge);
  }

  const std::vector<const Json*>& edges_of(const std::string& node) const {
    static const std::vector<const Json*> kNone;
    const auto found = edges_.find(node);
    return found == edges_.end() ? kNone : found->second;
  }

  std::string far_end(const Json& edge) const { return text_of(edge, far()); }

  std::string describe_node(const std::string& name) const {
    const auto found = nodes_.find(name);
    return found == nodes_.end() ? printable(name) : describe(*found->second);
  }

 private:
  const char* near() const { return direction_ == PedigreeDirection::up ? "from" : "to"; }
  const char* far() const { return direction_ == PedigreeDirection::up ? "to" : "from"; }

  PedigreeDirection direction_;
  std::map<std::string, const Json*> nodes_;
  std::map<std::string, std::vector<const Json*>> edges_;
};

// Up: "component tracking = lhcb/trk:1"; down: "component tracking ← lhcb/set:1".
std::string label_of(const Json& edge, PedigreeDirection direction,
                     const TreeGlyphs& glyphs) {
  std::string label = text_of(edge, "role");
  const std::string name = text_of(edge, "name");
  if (!name.empty()) label += " " + name;
  if (direction == PedigreeDirection::down) return label + " " + glyphs.made + " ";
  return label + (name.empty() ? " " : " = ");
}

// One node whose edges are being written: a pedigree may be deeper than the stack.
struct Level {
  std::string node;
  std::size_t next_edge = 0;
};

class TreeWriter {
 public:
  TreeWriter(const Graph& graph, PedigreeDirection direction, const TreeGlyphs& glyphs)
      : graph_(graph), direction_(direction), glyphs_(glyphs) {}

  std::string write(const std::string& root) {
    text_ = graph_.describe_node(root) + "\n";
    expanded_.insert(root);
    levels_.push_back({root});
    while (!levels_.empty()) write_next_edge();
    return std::move(text_);
  }

 private:
  void write_next_edge() {
    Level& level = levels_.back();
    const auto& edges = graph_.edges_of(level.node);
    if (level.next_edge == edges.size()) {
      levels_.pop_back();
      const std::size_t indent = indents_.empty() ? 0 : indents_.back();
      if (!indents_.empty()) indents_.pop_back();
      indent_.resize(indent);
      return;
    }
    const Json& edge = *edges[level.next_edge++];
    const bool is_last = level.next_edge == edges.size();
    const std::string node = graph_.far_end(edge);
    text_ += indent_ + (is_last ? glyphs_.last_branch : glyphs_.branch) +
             printable(label_of(edge, direction_, glyphs_)) + graph_.describe_node(node);
    const bool has_more = !graph_.edges_of(node).empty();
    const bool is_new = expanded_.insert(node).second;
    text_ += has_more && !is_new ? " (see above)\n" : "\n";
    if (!has_more || !is_new) return;
    indents_.push_back(indent_.size());
    indent_ += is_last ? glyphs_.nothing : glyphs_.trunk;
    levels_.push_back({node});
  }

  const Graph& graph_;
  PedigreeDirection direction_;
  const TreeGlyphs& glyphs_;
  std::string text_;
  std::string indent_;
  std::vector<std::size_t> indents_;  // how long indent_ was, of each level but the root
  std::vector<Level> levels_;
  std::set<std::string> expanded_;
};

// A backslash would begin an escape of Graphviz's.
std::string dot_quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string dot_label(const Json& node) {
  std::string label = dot_quoted(name_of(node));
  label.pop_back();
  std::string line = kind_of(node);
  for (const std::string& mark : marks_of(node)) line += " " + mark;
  return label + "\\n" + dot_quoted(line).substr(1);
}

std::string dot_style(const Json& node) {
  if (!node.contains("ref")) {
    return node.value("verifiable", false) ? ", style=dashed" : ", style=dashed, color=red";
  }
  return text_of(node, "state") == "active" ? "" : ", color=gray, fontcolor=gray";
}

}  // namespace

std::string pedigree_tree(const Json& pedigree, PedigreeDirection direction,
                          const TreeGlyphs& glyphs) {
  const Graph graph(pedigree, direction);
  std::string text =
      TreeWriter(graph, direction, glyphs).write(name_of(pedigree.at("nodes").at(0)));
  const auto hidden = pedigree.value("hidden", std::uint64_t{0});
  if (hidden > 0) text += fmt::format("and {} that you may not read\n", hidden);
  return text;
}

std::string pedigree_dot(const Json& pedigree) {
  std::string dot = "digraph pedigree {\n  rankdir=LR;\n  node [shape=box];\n";
  for (const Json& node : pedigree.at("nodes")) {
    dot += fmt::format("  {} [label={}{}];\n", dot_quoted(name_of(node)), dot_label(node),
                       dot_style(node));
  }
  for (const Json& edge : pedigree.at("edges")) {
    const std::string name = text_of(edge, "name");
    dot +=
        fmt::format("  {} -> {} [label={}];\n", dot_quoted(text_of(edge, "from")),
                    dot_quoted(text_of(edge, "to")),
                    dot_quoted(text_of(edge, "role") + (name.empty() ? "" : " " + name)));
  }
  const auto hidden = pedigree.value("hidden", std::uint64_t{0});
  if (hidden > 0) {
    dot += fmt::format(
        "  \"hidden\" [label=\"{} that you may not read\", shape=plaintext];\n", hidden);
  }
  return dot + "}\n";
}

}  // namespace mendel::cli
