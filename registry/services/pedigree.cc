#include "registry/services/pedigree.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "registry/services/namespace_rows.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kBatchMax = 200;  // versions whose edges one query gives
constexpr std::int64_t kNamedCommitsMax = 10;

// Where a page begins: so many edges were on the pages before it. Versions newer than the
// first page are not looked at, so the order of the edges stays what it was.
struct Position {
  std::int64_t newest = 0;
  std::size_t skip = 0;

  static Position parse(std::string_view text) {
    Position position;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, position.newest);
    if (first.ec == std::errc() && first.ptr != end && *first.ptr == '.') {
      const auto second = std::from_chars(first.ptr + 1, end, position.skip);
      if (second.ec == std::errc() && second.ptr == end && position.newest > 0) {
        return position;
      }
    }
    throw Error(ErrorCode::invalid_argument, "after is no next of this list");
  }
  std::string text() const { return fmt::format("{}.{}", newest, skip); }
};

// One walk from a root, up to the end of a page. The edges before the page are walked
// again: they say what was seen already.
class Walk {
 public:
  Walk(schema::Transaction& tx, const schema::NamespaceViewer& viewer, VersionId root,
       const PedigreeService::Question& question)
      : tx_(tx), viewer_(viewer), root_(root), question_(question) {
    position_ = question.after ? Position::parse(*question.after)
                               : Position{schema::newest_version_id(tx), 0};
    if (position_.skip > PedigreeService::kEdgesMax) {
      throw Error(
          ErrorCode::unprocessable,
          fmt::format("a pedigree is shown for its first {} edges: ask with a depth, "
                      "or from a version within it",
                      PedigreeService::kEdgesMax));
    }
  }

  PedigreeService::Page run() {
    depths_.emplace(root_, 0);
    if (position_.skip == 0) new_nodes_.push_back(root_);
    std::vector<VersionId> level{root_};
    for (std::int32_t depth = 1; !level.empty() && !is_full_; ++depth) {
      if (question_.depth && depth > *question_.depth) break;
      level = walk_level(level, depth);
    }
    return describe();
  }

 private:
  bool goes_up() const { return question_.direction == PedigreeService::Direction::up; }

  std::vector<VersionId> walk_level(const std::vector<VersionId>& level,
                                    std::int32_t depth) {
    std::vector<VersionId> next;
    for (std::size_t at = 0; at < level.size() && !is_full_; at += kBatchMax) {
      const auto batch =
          std::span(level).subspan(at, std::min(kBatchMax, level.size() - at));
      for (const schema::EdgeRow& edge : edges_of(batch)) {
        if (is_full_) break;
        visit(edge, depth, next);
      }
    }
    return next;
  }

  std::vector<schema::EdgeRow> edges_of(std::span<const VersionId> versions) {
    const schema::EdgePage page{
        .newest = position_.newest,
        .limit = static_cast<std::int64_t>(position_.skip + question_.limit + 1 - passed_)};
    return goes_up() ? schema::list_edges_from(tx_, viewer_, versions, page)
                     : schema::list_edges_to(tx_, viewer_, versions, page);
  }

  void visit(const schema::EdgeRow& edge, std::int32_t depth,
             std::vector<VersionId>& next) {
    if (passed_ == position_.skip + question_.limit) {
      is_full_ = true;
      return;
    }
    const bool is_on_page = passed_++ >= position_.skip;
    const auto far = goes_up() ? edge.to : edge.from;
    if (!edge.is_far_seen) {
      if (hidden_.insert(*far).second && is_on_page) ++page_.hidden;
      return;
    }
    if (far) {
      const bool is_new = depths_.emplace(*far, depth).second;
      if (is_new) next.push_back(*far);
      if (is_new && is_on_page) new_nodes_.push_back(*far);
    } else if (outside_.insert(edge.uri).second && is_on_page) {
      page_.nodes.push_back({.depth = depth,
                             .version = std::nullopt,
                             .uri = edge.uri,
                             .digest = edge.digest});
    }
    if (is_on_page) edges_.push_back(edge);
  }

  // Puts names to what was found.
  PedigreeService::Page describe() {
    std::vector<VersionId> named = new_nodes_;
    for (const schema::EdgeRow& edge : edges_) {
      named.push_back(edge.from);
      if (edge.to) named.push_back(*edge.to);
    }
    std::ranges::sort(named);
    const auto [first, last] = std::ranges::unique(named);
    named.erase(first, last);

    std::unordered_map<VersionId, schema::NodeRow> rows;
    for (auto& row : schema::find_nodes(tx_, named)) {
      rows.emplace(row.version.id, std::move(row));
    }
    for (const schema::EdgeRow& edge : edges_) {
      page_.edges.push_back(
          {.from = rows.at(edge.from).version.reference(),
           .to = edge.to ? rows.at(*edge.to).version.reference() : edge.uri,
           .role = edge.role,
           .name = edge.name});
    }
    for (const VersionId id : new_nodes_) {
      page_.nodes.push_back({.depth = depths_.at(id),
                             .version = std::move(rows.at(id)),
                             .uri = "",
                             .digest = std::nullopt});
    }
    std::ranges::stable_sort(page_.nodes, {}, &PedigreeService::Node::depth);
    if (is_full_) {
      page_.next = Position{position_.newest, position_.skip + question_.limit}.text();
    }
    return std::move(page_);
  }

  schema::Transaction& tx_;
  const schema::NamespaceViewer& viewer_;
  const VersionId root_;
  const PedigreeService::Question& question_;
  Position position_;

  std::unordered_map<VersionId, std::int32_t> depths_;  // of every version seen
  std::unordered_set<std::string> outside_;
  std::unordered_set<VersionId> hidden_;
  std::size_t passed_ = 0;  // edges
  bool is_full_ = false;    // and there is more
  std::vector<VersionId> new_nodes_;
  std::vector<schema::EdgeRow> edges_;
  PedigreeService::Page page_;
};

}  // namespace

PedigreeService::Page PedigreeService::walk(const Caller& caller, const Version& root,
                                            const Question& question) {
  const auto viewer = viewer_for(caller);
  return database_.read("walk a pedigree", [&](schema::Transaction& tx) {
    return Walk(tx, viewer, root.id, question).run();
  });
}

PedigreeService::CommitVersions PedigreeService::find_commit(
    const Caller& caller, const std::string& prefix, std::size_t limit,
    std::optional<std::int64_t> before) {
  const auto viewer = viewer_for(caller);
  return database_.read("find a commit", [&](schema::Transaction& tx) {
    const auto commits = schema::list_commits(tx, viewer, prefix, kNamedCommitsMax);
    if (commits.empty()) {
      throw Error(ErrorCode::not_found, "nothing was made from a commit " + prefix);
    }
    if (commits.size() > 1) {
      throw Error(ErrorCode::already_exists, fmt::format("{} begins several commits: {}",
                                                         prefix, fmt::join(commits, ", ")));
    }
    CommitVersions found{.commit = commits.front(), .versions = {}, .next = std::nullopt};
    found.versions = schema::list_versions_of_commit(
        tx, viewer, found.commit, before.value_or(std::numeric_limits<std::int64_t>::max()),
        static_cast<std::int64_t>(limit) + 1);
    if (found.versions.size() > limit) {
      found.versions.pop_back();
      found.next = std::to_string(found.versions.back().version.id);
    }
    return found;
  });
}

}  // namespace mendel::registry
