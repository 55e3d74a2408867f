#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "registry/services/pedigree.h"
#include "schema/access.h"
#include "schema/pedigree.h"

namespace mendel::registry {

// A walk through the graph, breadth first, that can stop after any edge and go on later.
// Versions newer than the walk's start are not looked at, so that the order of the edges
// stays what it is. For one thread.
class PedigreeWalk {
 public:
  using Direction = PedigreeService::Direction;

  PedigreeWalk(VersionId root, std::int64_t newest, Direction direction,
               std::optional<std::int32_t> depth);

  // Goes past so many edges.
  void skip(schema::Transaction& tx, const schema::NamespaceViewer& viewer,
            std::size_t count);

  // The next edges, up to limit, with the nodes that they reach for the first time; next
  // is left to the caller.
  PedigreeService::Page page(schema::Transaction& tx, const schema::NamespaceViewer& viewer,
                             std::size_t limit);

  std::int64_t newest() const { return newest_; }
  std::size_t passed() const { return passed_; }  // edges
  bool is_at_end() const { return at_ == level_.size(); }
  std::size_t memory_bytes() const;

 private:
  // What the edges that were passed had that none before them had.
  struct Found {
    std::vector<schema::EdgeRow> edges;
    std::vector<VersionId> versions;
    std::vector<PedigreeService::Node> outside;
    std::size_t hidden = 0;
    bool has_more = false;
  };
  Found pass(schema::Transaction& tx, const schema::NamespaceViewer& viewer,
             std::size_t count);
  void visit(const schema::EdgeRow& edge, Found& found);
  void go_to(std::size_t at);
  PedigreeService::Page describe(schema::Transaction& tx, const Found& found) const;

  std::int64_t newest_;
  Direction direction_;
  std::optional<std::int32_t> depth_max_;

  std::vector<VersionId> level_;  // whose edges are passed, from at_ on
  std::size_t at_ = 0;
  schema::EdgeKey after_;   // the last that was passed of level_[at_]
  std::int32_t depth_ = 1;  // of what the level's edges lead to
  std::vector<VersionId> next_level_;

  std::unordered_map<VersionId, std::int32_t> depths_;  // of every version reached
  std::unordered_set<std::string> outside_;
  std::unordered_set<VersionId> hidden_;
  std::size_t passed_ = 0;
};

}  // namespace mendel::registry
