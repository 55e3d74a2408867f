#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "schema/access.h"
#include "schema/database.h"
#include "storage/base/digest.h"

namespace mendel::schema {

// How a version is asked for within an artifact. At most one is set; none: the latest.
struct VersionQuestion {
  std::string folded_namespace;
  std::string folded_name;
  std::optional<std::int32_t> number;
  std::optional<std::string> folded_alias;
  std::optional<Digest> digest;
};

// A version as the end of an edge.
struct VersionKey {
  std::int64_t id = 0;
  std::int64_t namespace_id = 0;
  std::string namespace_name;
  std::string artifact_name;
  std::string kind;
  std::int32_t number = 0;
  Digest digest;

  std::string reference() const;
};

// An answer per question, in order; nullopt where there is none, or it was deleted.
std::vector<std::optional<VersionKey>> find_version_keys(
    Transaction& tx, std::span<const VersionQuestion> questions);

// Keeps the versions from being deleted until the transaction ends. Whether all were there.
bool share_versions(Transaction& tx, std::span<const std::int64_t> version_ids);

// What a version is made from: target_id, or uri and perhaps digest.
struct NewEdge {
  std::string role;
  std::string name;
  std::optional<std::int64_t> target_id;
  std::optional<std::string> uri;
  std::optional<Digest> digest;

  friend bool operator==(const NewEdge&, const NewEdge&) = default;
};
void insert_edges(Transaction& tx, std::int64_t version_id, std::span<const NewEdge> edges);
std::vector<NewEdge> list_edges_of(Transaction& tx, std::int64_t version_id);

// An edge of the graph: to, or what lies at uri, was used to make from. The far end is the
// one that was not asked for.
struct EdgeRow {
  std::int64_t from = 0;
  std::int32_t position = 0;  // among the edges that leave from
  std::optional<std::int64_t> to;
  std::string role;
  std::string name;
  std::string uri;
  std::optional<Digest> digest;
  bool is_far_seen = false;  // by the viewer
};

// Where an edge stands among those of one version.
struct EdgeKey {
  std::int64_t from = 0;
  std::int32_t position = 0;
};

// Which edges of some versions: those that leave versions up to newest, and of the first
// version only those after a key.
struct EdgePage {
  std::int64_t newest = 0;  // version id
  EdgeKey after;
  std::int64_t limit = 0;
};

// The edges that leave these versions, in the versions' order and then as declared; and
// those that lead to them from what was not deleted, the oldest first.
std::vector<EdgeRow> list_edges_from(Transaction& tx, const NamespaceViewer& viewer,
                                     std::span<const std::int64_t> versions,
                                     const EdgePage& page);
std::vector<EdgeRow> list_edges_to(Transaction& tx, const NamespaceViewer& viewer,
                                   std::span<const std::int64_t> versions,
                                   const EdgePage& page);

// The highest id of a version there is.
std::int64_t newest_version_id(Transaction& tx);

// A version as a node of the graph.
struct NodeRow {
  VersionKey version;
  std::string state;
  std::string run;     // empty without one
  std::string commit;  // empty without one
  std::vector<std::string> aliases;
};
// In any order; deleted ones are among them.
std::vector<NodeRow> find_nodes(Transaction& tx, std::span<const std::int64_t> versions);

// Versions that are not deleted and were made with this one, newest first.
struct DependentRow {
  VersionKey version;
  bool is_seen = false;  // by the viewer
};
std::vector<DependentRow> list_dependents(Transaction& tx, const NamespaceViewer& viewer,
                                          std::int64_t version_id, std::int64_t limit);

// The commits, up to limit, that begin with prefix and that a version was made from, or a
// run, that the viewer sees.
std::vector<std::string> list_commits(Transaction& tx, const NamespaceViewer& viewer,
                                      const std::string& prefix, std::int64_t limit);
// The versions made from a commit, newest first, those with ids below before.
std::vector<NodeRow> list_versions_of_commit(Transaction& tx, const NamespaceViewer& viewer,
                                             const std::string& commit, std::int64_t before,
                                             std::int64_t limit);

// The runs of a commit, newest first.
struct CommitRunRow {
  std::string uuid;
  std::string namespace_name;
  std::string name;
  std::string status;
};
std::vector<CommitRunRow> list_runs_of_commit(Transaction& tx,
                                              const NamespaceViewer& viewer,
                                              const std::string& commit,
                                              std::int64_t limit);

}  // namespace mendel::schema
