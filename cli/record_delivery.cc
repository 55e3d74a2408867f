#include "cli/record_delivery.h"

#include <fmt/core.h>

#include <algorithm>

#include "cli/api_path.h"
#include "cli/local_file.h"
#include "cli/output.h"
#include "cli/run_recorder.h"
#include "cli/send_persistently.h"
#include "storage/base/uuid.h"

namespace mendel::cli {

namespace {

constexpr std::string_view kKnownTypes[] = {"run", "metrics", "checkpoint", "finish",
                                            "push"};

const Json& get_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) {
    throw Error(ErrorCode::invalid_argument, fmt::format("the record has no {}", name));
  }
  return *found;
}

std::string get_text(const Json& object, const char* name) {
  const Json& text = get_member(object, name);
  if (!text.is_string()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} of the record is no text", name));
  }
  return text.get<std::string>();
}

const Json& get_body(const Json& record) {
  const Json& body = get_member(record, "body");
  if (!body.is_object()) {
    throw Error(ErrorCode::invalid_argument, "the body of the record is no object");
  }
  return body;
}

std::string get_run(const Json& record) {
  std::string run = get_text(record, "run");
  if (!is_uuid(run)) throw Error(ErrorCode::invalid_argument, "no id of a run: " + run);
  return run;
}

storage::ArtifactKind get_kind_of(const std::string& text) {
  const auto kind = storage::parse_artifact_kind(text);
  if (!kind) throw Error(ErrorCode::invalid_argument, "no kind of artifact: " + text);
  return *kind;
}

std::string read_blob(const JournalPlaces& places, const Digest& digest) {
  const auto bytes = find_text(places.blob(digest));
  if (!bytes || Digest::of(*bytes) != digest) {
    throw Error(ErrorCode::unprocessable,
                (bytes ? "the journal's copy is damaged: " : "the journal lacks ") +
                    digest.to_string());
  }
  return *bytes;
}

std::optional<Digest> find_patch(const Json& body) {
  const auto source = body.find("source");
  if (source == body.end() || !source->is_object() || !source->contains("patch")) {
    return std::nullopt;
  }
  return Digest::parse(get_text(*source, "patch"));
}

void add_manifest_blobs(const Json& body, const JournalPlaces& places,
                        std::set<Digest>& blobs) {
  if (!body.contains("manifest")) return;
  const Digest digest = Digest::parse(get_text(body, "manifest"));
  const auto bytes = find_text(places.blob(digest));
  if (!bytes || Digest::of(*bytes) != digest) return;  // it cannot be delivered anyway
  blobs.insert(digest);
  for (const auto& file : storage::decode_manifest(*bytes).files) {
    if (file.digest) blobs.insert(*file.digest);
  }
}

}  // namespace

bool is_known_record(const Json& record) {
  const auto type = record.find("type");
  return type != record.end() && type->is_string() &&
         std::ranges::find(kKnownTypes, type->get_ref<const std::string&>()) !=
             std::end(kKnownTypes);
}

std::set<Digest> blobs_of(const Json& record, const JournalPlaces& places) {
  std::set<Digest> blobs;
  if (!record.contains("body")) return blobs;
  const Json& body = get_body(record);
  if (const auto patch = find_patch(body)) blobs.insert(*patch);
  add_manifest_blobs(body, places, blobs);
  return blobs;
}

void RecordDelivery::deliver(const Json& record) {
  const std::string type = get_text(record, "type");
  if (type == "run") return deliver_run(record);
  if (type == "metrics") return deliver_metrics(record);
  if (type == "checkpoint") return deliver_checkpoint(record);
  if (type == "finish") return deliver_finish(record);
  if (type == "push") return deliver_push(record);
  throw Error(ErrorCode::invalid_argument, "this mendel knows no records of the type " +
                                               printable(type) + "; a newer one may");
}

void RecordDelivery::deliver_run(const Json& record) {
  const Json& body = get_body(record);
  send_patch(body, Name::parse("namespace", get_text(body, "namespace")));
  server_.post("/api/v1/runs", body);
  ++counts_.runs;
}

void RecordDelivery::deliver_metrics(const Json& record) {
  const Json answer = server_.post(run_path(get_run(record)) + "/metrics",
                                   {{"metrics", get_member(record, "metrics")}});
  counts_.points += answer.value("accepted", std::uint64_t{0});
  counts_.duplicate_points += answer.value("duplicates", std::uint64_t{0});
}

void RecordDelivery::deliver_checkpoint(const Json& record) {
  const std::string run = get_run(record);
  const Json& body = get_body(record);
  send_manifest(body, PushBase::none(), namespace_of(run));
  server_.post(run_path(run) + "/checkpoints", body);
  ++counts_.checkpoints;
}

void RecordDelivery::deliver_finish(const Json& record) {
  server_.patch(run_path(get_run(record)), get_body(record));
  ++counts_.finished;
}

void RecordDelivery::deliver_push(const Json& record) {
  const auto kind = get_kind_of(get_text(record, "kind"));
  const auto name = ArtifactName::parse(get_text(record, "name"));
  const Json& body = get_body(record);
  send_patch(body, name.ns());
  if (body.contains("manifest")) {
    send_manifest(body, PushBase::find(server_, kind, name), name.ns());
  }
  const Json version =
      server_.post(artifact_path(kind, name) + "/versions", body, get_text(record, "key"));
  counts_.versions.push_back(version.value("artifact", name.text()) + ":" +
                             text_of(version, "version"));
}

void RecordDelivery::send_patch(const Json& body, const Name& ns) {
  const auto patch = find_patch(body);
  if (!patch) return;
  server_.put_bytes(blob_path(ns, *patch), read_blob(places_, *patch));
}

void RecordDelivery::send_manifest(const Json& body, const PushBase& base, const Name& ns) {
  const Digest digest = Digest::parse(get_text(body, "manifest"));
  const auto manifest = storage::decode_manifest(read_blob(places_, digest));
  PushContent content{manifest.kind, {}, manifest.components};
  for (const auto& entry : manifest.files) {
    content.files.push_back({entry, entry.digest ? places_.blob(*entry.digest) : ""});
  }
  const SentManifest sent = send_persistently(server_, base, ns, content);
  counts_.sent_bytes += sent.sent_bytes;
  if (sent.digest != digest) {
    throw Error(ErrorCode::unprocessable, "the journal's copies of the files of " +
                                              digest.to_string() + " are damaged");
  }
}

const Name& RecordDelivery::namespace_of(const std::string& run) {
  const auto known = namespaces_.find(run);
  if (known != namespaces_.end()) return known->second;
  const Json found = server_.get(run_path(run));
  const Name ns = Name::parse("namespace", text_of(found, "namespace"));
  return namespaces_.emplace(run, ns).first->second;
}

}  // namespace mendel::cli
