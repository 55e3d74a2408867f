#include "cli/pipeline_documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/input_text.h"
#include "cli/output.h"
#include "cli/params.h"

namespace mendel::cli {

namespace {

[[noreturn]] void refuse(const std::string& place, const std::string& rule) {
  throw Error(ErrorCode::invalid_argument, place + ": " + rule);
}

std::string take_text(Json& document, const char* member, const std::string& place) {
  const auto found = document.find(member);
  if (found == document.end() || !found->is_string()) {
    refuse(place, fmt::format("needs \"{}\", a text", member));
  }
  const std::string text = *found;
  document.erase(found);
  return text;
}

PipelineDocument parse_document(Json document, const std::string& place) {
  if (!document.is_object()) refuse(place, "is no mapping of names to values");
  const std::string kind = take_text(document, "kind", place);
  if (kind != "pipeline" && kind != "trigger") {
    refuse(place,
           fmt::format("\"kind\" is {}, and may be pipeline or trigger", printable(kind)));
  }
  const std::string name = take_text(document, "name", place);
  try {
    return {kind == "pipeline" ? PipelineDocument::Kind::pipeline
                               : PipelineDocument::Kind::trigger,
            ArtifactName::parse(name), std::move(document), place};
  } catch (const Error& error) {
    refuse(place, error.what());
  }
}

std::string escaped(const std::string& member) {
  std::string part;
  for (const char c : member) {
    if (c == '~') {
      part += "~0";
    } else if (c == '/') {
      part += "~1";
    } else {
      part += c;
    }
  }
  return part;
}

void compare(const Json& before, const Json& after, const std::string& pointer,
             std::vector<DocumentChange>& changes) {
  if (!before.is_object() || !after.is_object()) {
    if (before != after) changes.push_back({pointer, before, after});
    return;
  }
  std::set<std::string> members;
  for (const Json* object : {&before, &after}) {
    for (const auto& [name, value] : object->items()) members.insert(name);
  }
  for (const std::string& name : members) {
    compare(before.value(name, Json()), after.value(name, Json()),
            pointer + "/" + escaped(name), changes);
  }
}

}  // namespace

std::string PipelineDocument::title() const {
  return (kind == Kind::pipeline ? "pipeline " : "trigger ") + name.text();
}

std::string PipelineDocument::path() const {
  return fmt::format("/api/v1/{}/{}/{}", kind == Kind::pipeline ? "pipelines" : "triggers",
                     percent_encode(name.ns().text()), percent_encode(name.name().text()));
}

std::vector<PipelineDocument> parse_pipeline_documents(const std::string& text,
                                                       const std::string& file) {
  std::vector<Json> documents;
  try {
    documents = parse_yaml_documents(text);
  } catch (const Error& error) {
    throw Error(error.code(), file + ": " + error.what());
  }
  std::vector<PipelineDocument> parsed;
  for (Json& document : documents) {
    const std::string place = documents.size() == 1
                                  ? file
                                  : fmt::format("{}, document {}", file, parsed.size() + 1);
    parsed.push_back(parse_document(std::move(document), place));
  }
  return parsed;
}

std::vector<PipelineDocument> read_pipeline_documents(
    const std::vector<std::string>& files) {
  std::vector<PipelineDocument> documents;
  for (const std::string& file : files) {
    for (PipelineDocument& document :
         parse_pipeline_documents(read_input_text(file), file)) {
      documents.push_back(std::move(document));
    }
  }
  if (documents.empty()) {
    throw Error(ErrorCode::invalid_argument, "there are no documents in what was given");
  }
  std::set<std::pair<PipelineDocument::Kind, std::string>> seen;
  for (const PipelineDocument& document : documents) {
    if (!seen.emplace(document.kind, document.name.folded()).second) {
      refuse(document.place, document.title() + " occurs twice");
    }
  }
  std::ranges::stable_sort(documents, {}, &PipelineDocument::kind);
  return documents;
}

std::vector<DocumentChange> changes_between(const Json& before, const Json& after) {
  std::vector<DocumentChange> changes;
  compare(before, after, "", changes);
  return changes;
}

std::string describe(const DocumentChange& change) {
  const auto shown = [](const Json& value) { return printable(value.dump()); };
  const std::string pointer = printable(change.pointer);
  if (change.before.is_null())
    return fmt::format("  + {}: {}", pointer, shown(change.after));
  if (change.after.is_null())
    return fmt::format("  - {}: {}", pointer, shown(change.before));
  return fmt::format("  ~ {}: {} -> {}", pointer, shown(change.before),
                     shown(change.after));
}

}  // namespace mendel::cli
