#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/caller.h"
#include "registry/services/edge.h"
#include "registry/services/version.h"
#include "schema/database.h"
#include "schema/pedigree.h"

namespace mendel::registry {

// Walks the graph of what was made from what: up to what made a version, down to what it
// reached. Breadth first, level by level, a page of edges at a time. Any thread.
//
// What the caller may not read is counted and not named, and nothing behind it is looked
// at.
class PedigreeService {
 public:
  explicit PedigreeService(schema::Database& database);
  ~PedigreeService();

  enum class Direction { up, down };

  struct Question {
    Direction direction = Direction::up;
    std::optional<std::int32_t> depth;  // levels; absent: all
    std::size_t limit = 0;              // edges
    std::optional<std::string_view> after;
  };

  // A version, or something outside; depth is its distance from the root.
  struct Node {
    std::int32_t depth = 0;
    std::optional<schema::NodeRow> version;
    std::string uri;
    std::optional<Digest> digest;
  };
  struct Edge {
    std::string from;  // what was made
    std::string to;    // reference or URI of what it was made from
    std::string role;
    std::string name;
  };
  // The root is the first node of the first page. A node is on the page of the first edge
  // that leads to it.
  struct Page {
    std::vector<Node> nodes;
    std::vector<Edge> edges;
    std::size_t hidden = 0;  // nodes
    std::optional<std::string> next;
  };

  // Pages that follow show the graph as it was when the first one was made. Where a walk
  // stands is remembered, so that a page costs its own edges; where that was forgotten, or
  // another replica is asked, the walk is gone again. Throws invalid_argument for what is
  // no next of such a page.
  Page walk(const Caller& caller, const Version& root, const Question& question);

  // Versions and runs that were made from a commit, newest first: versions by the page, and
  // on the first page the newest kRunsShownMax runs. prefix is some first digits of its
  // hash, at least kCommitPrefixMin. Throws not_found, and already_exists, naming them,
  // where several commits that the caller may see begin so.
  struct CommitVersions {
    std::string commit;
    std::vector<schema::NodeRow> versions;
    std::vector<schema::CommitRunRow> runs;
    std::optional<std::string> next;
  };
  CommitVersions find_commit(const Caller& caller, const std::string& prefix,
                             std::size_t limit, std::optional<std::int64_t> before);

  static constexpr std::size_t kCommitPrefixMin = 7;
  static constexpr std::int64_t kRunsShownMax = 1000;

 private:
  struct Memory;

  schema::Database& database_;
  const std::unique_ptr<Memory> memory_;
};

}  // namespace mendel::registry
