#include "registry/api/search.h"

#include <fmt/format.h>

#include "registry/api/json.h"
#include "registry/services/search.h"
#include "storage/utf8.h"

namespace mendel::registry::api {

namespace {

using schema::FoundRun;
using schema::FoundVersion;

// Writes a page's items as they come: a document in memory, of a hundred items with fifteen
// members each, would take as long as finding them.
class ItemWriter {
 public:
  void begin() {
    out_ += out_.empty() ? "{\"items\":[{" : "},{";
    is_first_ = true;
  }

  ItemWriter& text(std::string_view name, std::string_view value) {
    member(name);
    quote(value);
    return *this;
  }
  ItemWriter& text_unless_empty(std::string_view name, std::string_view value) {
    return value.empty() ? *this : text(name, value);
  }
  ItemWriter& number(std::string_view name, std::int64_t value) {
    member(name);
    fmt::format_to(std::back_inserter(out_), "{}", value);
    return *this;
  }
  // JSON as the database wrote it.
  ItemWriter& json(std::string_view name, std::string_view value) {
    member(name);
    out_ += value;
    return *this;
  }
  ItemWriter& digest(std::string_view name, const std::optional<Digest>& value) {
    if (!value) return *this;
    member(name);
    out_ += "{\"digest\":\"" + value->to_string() + "\"}";
    return *this;
  }

  std::string finish(const std::optional<std::string>& next) {
    out_ += out_.empty() ? "{\"items\":[" : "}";
    out_ += ']';
    is_first_ = false;
    if (next) text("next", *next);
    out_ += "}\n";
    return std::move(out_);
  }

 private:
  void member(std::string_view name) {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
  }

  void quote(std::string_view value) {
    out_ += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') {
        out_ += '\\';
        out_ += c;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        fmt::format_to(std::back_inserter(out_), "\\u{:04x}", static_cast<unsigned>(c));
      } else {
        out_ += c;
      }
    }
    out_ += '"';
  }

  std::string out_;
  bool is_first_ = true;
};

void write(ItemWriter& writer, const FoundVersion& version) {
  const std::string artifact = version.ns + "/" + version.name;
  writer.begin();
  writer.text("is", "version")
      .text("ref", fmt::format("{}:{}", artifact, version.number))
      .text("artifact", artifact)
      .text("kind", version.kind)
      .number("version", version.number)
      .text("digest", version.digest.to_string())
      .text("state", version.state)
      .text("created_at", format_rfc3339(version.created_at))
      .text("created_by", version.created_by)
      .text("message", version.message)
      .json("labels", version.labels)
      .json("metrics", version.metrics)
      .json("aliases", version.aliases)
      .number("size_bytes", version.size_bytes)
      .number("file_count", version.file_count)
      .digest("hyperparameters", version.hyperparameters)
      .text_unless_empty("commit", version.commit);
}

void write(ItemWriter& writer, const FoundRun& run) {
  writer.begin();
  writer.text("is", "run")
      .text("id", run.uuid)
      .text("namespace", run.ns)
      .text("name", run.name)
      .text("status", run.status)
      .text("started_at", format_rfc3339(run.started_at));
  if (run.finished_at) writer.text("finished_at", format_rfc3339(*run.finished_at));
  writer.text("created_by", run.created_by)
      .text("message", run.message)
      .json("labels", run.labels)
      .json("metrics", run.metrics)
      .digest("hyperparameters", run.hyperparameters)
      .text_unless_empty("commit", run.commit);
}

}  // namespace

Response search(const Request& request, Services& services) {
  const PageRequest page{.limit = request.limit(), .after = request.after()};
  const auto found =
      services.search.find(request.caller(), request.query("q").value_or(""), page);

  Response response;
  response.status = 200;
  response.headers.set("Content-Type", "application/json");
  response.headers.set("Cache-Control", "no-cache");
  response.body = std::visit(
      [](const auto& found_page) {
        ItemWriter writer;
        for (const auto& item : found_page.items) write(writer, item);
        return writer.finish(found_page.next);
      },
      found);
  return with_etag(request, std::move(response));
}

}  // namespace mendel::registry::api
