#include "registry/services/pedigree.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <limits>
#include <utility>

#include "registry/services/namespace_rows.h"
#include "registry/services/pedigree_walk.h"
#include "storage/base/error.h"
#include "storage/base/lru_cache.h"

namespace mendel::registry {

namespace {

constexpr std::size_t kWalkMemoryBytesMax = 64u << 20;
constexpr std::int64_t kNamedCommitsMax = 10;

// Where a page begins: so many edges were on the pages before it.
struct Position {
  std::int64_t newest = 0;
  std::size_t passed = 0;

  static Position parse(std::string_view text) {
    Position position;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, position.newest);
    if (first.ec == std::errc() && first.ptr != end && *first.ptr == '.') {
      const auto second = std::from_chars(first.ptr + 1, end, position.passed);
      if (second.ec == std::errc() && second.ptr == end && position.newest > 0) {
        return position;
      }
    }
    throw Error(ErrorCode::invalid_argument, "after is no next of this list");
  }
  std::string text() const { return fmt::format("{}.{}", newest, passed); }
};

// What a walk that goes on must have in common with the one that stopped.
std::string memory_key(const Caller& caller, const Version& root,
                       const PedigreeService::Question& question, std::string_view next) {
  return fmt::format("{} {} {} {} {} {}", caller.principal.value_or(0),
                     caller.only_namespace.value_or(0), root.id,
                     question.direction == PedigreeService::Direction::up,
                     question.depth.value_or(-1), next);
}

}  // namespace

struct PedigreeService::Memory {
  LruCache<std::string, PedigreeWalk> walks{kWalkMemoryBytesMax};
};

PedigreeService::PedigreeService(schema::Database& database)
    : database_(database), memory_(std::make_unique<Memory>()) {}
PedigreeService::~PedigreeService() = default;

PedigreeService::Page PedigreeService::walk(const Caller& caller, const Version& root,
                                            const Question& question) {
  const auto viewer = viewer_for(caller);
  std::optional<Position> position;
  std::shared_ptr<PedigreeWalk> remembered;
  if (question.after) {
    position = Position::parse(*question.after);
    remembered = memory_->walks.take(memory_key(caller, root, question, *question.after));
  }
  std::shared_ptr<PedigreeWalk> walk;
  Page page = database_.read("walk a pedigree", [&](schema::Transaction& tx) {
    walk = std::exchange(remembered, nullptr);  // a second attempt begins again
    if (!walk) {
      const std::int64_t newest =
          position ? position->newest : schema::newest_version_id(tx);
      walk = std::make_shared<PedigreeWalk>(root.id, newest, question.direction,
                                            question.depth);
      if (position) walk->skip(tx, viewer, position->passed);
    }
    return walk->page(tx, viewer, question.limit);
  });
  if (walk->is_at_end()) return page;

  page.next = Position{walk->newest(), walk->passed()}.text();
  const std::size_t cost = walk->memory_bytes();
  memory_->walks.put(memory_key(caller, root, question, *page.next), std::move(walk), cost);
  return page;
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
    CommitVersions found{
        .commit = commits.front(), .versions = {}, .runs = {}, .next = std::nullopt};
    if (!before) {
      found.runs = schema::list_runs_of_commit(tx, viewer, found.commit, kRunsShownMax);
    }
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
