#include "registry/services/pedigree_walk.h"

#include <algorithm>
#include <span>
#include <utility>

namespace mendel::registry {

namespace {

constexpr std::size_t kBatchMax = 200;     // versions whose edges one query gives
constexpr std::size_t kEdgesMax = 10'000;  // of one query

// Every version that the edges or the list name, once.
std::vector<VersionId> all_of(const std::vector<schema::EdgeRow>& edges,
                              std::vector<VersionId> versions) {
  for (const schema::EdgeRow& edge : edges) {
    versions.push_back(edge.from);
    if (edge.to) versions.push_back(*edge.to);
  }
  std::ranges::sort(versions);
  const auto [first, last] = std::ranges::unique(versions);
  versions.erase(first, last);
  return versions;
}

}  // namespace

PedigreeWalk::PedigreeWalk(VersionId root, std::int64_t newest, Direction direction,
                           std::optional<std::int32_t> depth)
    : newest_(newest), direction_(direction), depth_max_(depth) {
  depths_.emplace(root, 0);
  if (depth != 0) level_.push_back(root);
}

void PedigreeWalk::skip(schema::Transaction& tx, const schema::NamespaceViewer& viewer,
                        std::size_t count) {
  while (count > 0 && !is_at_end()) {
    const std::size_t before = passed_;
    pass(tx, viewer, std::min(count, kEdgesMax));
    count -= passed_ - before;
  }
}

PedigreeService::Page PedigreeWalk::page(schema::Transaction& tx,
                                         const schema::NamespaceViewer& viewer,
                                         std::size_t limit) {
  Found page;
  if (passed_ == 0) page.versions.push_back(depths_.begin()->first);  // the root
  const std::size_t end = passed_ + limit;
  // Goes on, when the page is full, until it is known whether there is more.
  while (!is_at_end() && !page.has_more) {
    const Found found = pass(tx, viewer, end - passed_);
    page.edges.insert(page.edges.end(), found.edges.begin(), found.edges.end());
    page.versions.insert(page.versions.end(), found.versions.begin(), found.versions.end());
    page.outside.insert(page.outside.end(), found.outside.begin(), found.outside.end());
    page.hidden += found.hidden;
    page.has_more = found.has_more;
  }
  return describe(tx, page);
}

PedigreeService::Page PedigreeWalk::describe(schema::Transaction& tx,
                                             const Found& found) const {
  std::unordered_map<VersionId, schema::NodeRow> rows;
  for (auto& row : schema::find_nodes(tx, all_of(found.edges, found.versions))) {
    rows.emplace(row.version.id, std::move(row));
  }
  PedigreeService::Page page{
      .nodes = found.outside, .edges = {}, .hidden = found.hidden, .next = std::nullopt};
  for (const schema::EdgeRow& edge : found.edges) {
    page.edges.push_back({.from = rows.at(edge.from).version.reference(),
                          .to = edge.to ? rows.at(*edge.to).version.reference() : edge.uri,
                          .role = edge.role,
                          .name = edge.name});
  }
  for (const VersionId id : found.versions) {
    page.nodes.push_back({.depth = depths_.at(id),
                          .version = rows.at(id),
                          .uri = "",
                          .digest = std::nullopt});
  }
  std::ranges::stable_sort(page.nodes, {}, &PedigreeService::Node::depth);
  return page;
}

std::size_t PedigreeWalk::memory_bytes() const {
  constexpr std::size_t kHashNodeBytes = 48;
  std::size_t bytes = sizeof *this;
  bytes += (level_.capacity() + next_level_.capacity()) * sizeof(VersionId);
  bytes += (depths_.size() + hidden_.size()) * kHashNodeBytes;
  for (const std::string& uri : outside_) bytes += kHashNodeBytes + uri.size();
  return bytes;
}

// The edges that one query gives, up to count; and whether there is certainly another.
PedigreeWalk::Found PedigreeWalk::pass(schema::Transaction& tx,
                                       const schema::NamespaceViewer& viewer,
                                       std::size_t count) {
  const std::size_t batch_end = std::min(at_ + kBatchMax, level_.size());
  const auto batch = std::span(level_).subspan(at_, batch_end - at_);
  const schema::EdgePage asked{
      .newest = newest_, .after = after_, .limit = static_cast<std::int64_t>(count) + 1};
  const auto edges = direction_ == Direction::up
                         ? schema::list_edges_from(tx, viewer, batch, asked)
                         : schema::list_edges_to(tx, viewer, batch, asked);
  Found found;
  for (const schema::EdgeRow& edge : edges) {
    const VersionId near = direction_ == Direction::up ? edge.from : *edge.to;
    while (level_[at_] != near) go_to(at_ + 1);
    if (&edge - edges.data() == static_cast<std::ptrdiff_t>(count)) {
      found.has_more = true;
      return found;
    }
    visit(edge, found);
  }
  go_to(batch_end);
  return found;
}

void PedigreeWalk::visit(const schema::EdgeRow& edge, Found& found) {
  ++passed_;
  after_ = {edge.from, edge.position};
  const auto far = direction_ == Direction::up ? edge.to : edge.from;
  if (!edge.is_far_seen) {
    if (hidden_.insert(*far).second) ++found.hidden;
    return;
  }
  found.edges.push_back(edge);
  if (!far) {
    if (outside_.insert(edge.uri).second) {
      found.outside.push_back({.depth = depth_,
                               .version = std::nullopt,
                               .uri = edge.uri,
                               .digest = edge.digest});
    }
  } else if (depths_.emplace(*far, depth_).second) {
    next_level_.push_back(*far);
    found.versions.push_back(*far);
  }
}

// Of this level, or of the next one where this one ends.
void PedigreeWalk::go_to(std::size_t at) {
  at_ = at;
  after_ = {};
  if (at_ < level_.size()) return;
  const bool is_last = depth_max_ && depth_ == *depth_max_;
  level_ = is_last ? std::vector<VersionId>() : std::exchange(next_level_, {});
  at_ = 0;
  ++depth_;
}

}  // namespace mendel::registry
