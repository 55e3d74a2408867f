#pragma once

#include <string>
#include <vector>

#include "cli/api_client.h"
#include "storage/base/reference.h"

namespace mendel::cli {

// A pipeline or a trigger as it is written in a file.
struct PipelineDocument {
  enum class Kind { pipeline, trigger };
  Kind kind;
  ArtifactName name;
  Json body;          // for the server: all but kind and name
  std::string place;  // "FILE, document 2", for messages

  std::string title() const;  // "pipeline lhcb/retrain-trk"
  std::string path() const;   // of the server's interface
};

// Reads files of YAML documents, "-" is standard input: each with "kind: pipeline" or
// "kind: trigger", "name: NAMESPACE/NAME" and what the server takes. Pipelines come first,
// as triggers name them. Throws invalid_argument, with the place, for what is neither, and
// for one that occurs twice.
std::vector<PipelineDocument> read_pipeline_documents(
    const std::vector<std::string>& files);
std::vector<PipelineDocument> parse_pipeline_documents(const std::string& text,
                                                       const std::string& file);

// One value that differs between two documents; null where one lacks it.
struct DocumentChange {
  std::string pointer;  // RFC 6901
  Json before;
  Json after;
};

// Members of objects are compared one by one, anything else as a whole.
std::vector<DocumentChange> changes_between(const Json& before, const Json& after);

// "  ~ /limits/concurrency: 1 -> 2".
std::string describe(const DocumentChange& change);

}  // namespace mendel::cli
