#include "registry/services/triggers/pipeline_cycle.h"

#include <map>

#include "registry/services/triggers/topics.h"
#include "schema/triggers.h"
#include "storage/base/error.h"

namespace mendel::registry {

namespace {

using schema::PipelineLink;

constexpr const char* kHidden = "(hidden)";

// How each pipeline was come to, the first time.
using Ways = std::map<std::int64_t, PipelineLink>;

// From its end to its beginning.
std::string tell(const Ways& ways, const PipelineEnd& pipeline,
                 const std::function<bool(std::string_view)>& is_seen) {
  std::string text = pipeline.name;
  for (const PipelineLink* link = &ways.at(pipeline.id);;) {
    text = (is_seen(link->trigger_namespace) ? link->trigger : kHidden) + " → " + text;
    text = "trigger " + text;
    if (!link->from) return pipeline.name + " → " + text;
    link = &ways.at(*link->from);
    text = (is_seen(link->to_namespace) ? link->to_name : kHidden) + " → " + text;
  }
}

}  // namespace

std::vector<std::string> topics_of(const PipelineSpec& spec) {
  std::vector<std::string> topics{version_topic(spec.artifact)};
  for (const AliasName& alias : spec.aliases) {
    topics.push_back(alias_topic(spec.artifact, alias));
  }
  return topics;
}

void refuse_pipeline_cycle(schema::Transaction& tx, const PipelineEnd& pipeline,
                           const std::function<bool(std::string_view)>& is_seen) {
  schema::hold_off_cycles(tx);
  Ways ways;
  auto links = schema::list_links_of(tx, pipeline.topics);
  while (!links.empty()) {
    std::vector<std::int64_t> reached;
    for (const PipelineLink& link : links) {
      if (ways.try_emplace(link.to, link).second) reached.push_back(link.to);
    }
    if (ways.contains(pipeline.id)) {
      throw Error(ErrorCode::unprocessable,
                  "this would go round for ever: " + tell(ways, pipeline, is_seen));
    }
    links = schema::list_links_from(tx, reached);
  }
}

}  // namespace mendel::registry
