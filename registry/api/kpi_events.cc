#include "registry/api/kpi_events.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "registry/api/content_decoding.h"
#include "registry/api/json.h"
#include "registry/api/kpi_event_body.h"
#include "registry/api/kpi_intake.h"
#include "registry/api/problem.h"
#include "registry/services/ledger/amount.h"
#include "registry/services/ledger/entry.h"
#include "registry/services/ledger/entry_list.h"
#include "registry/services/ledger/recorder.h"
#include "storage/base/error.h"
#include "storage/base/reference.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kDocumentSizeMax = 16 << 20;

std::string_view media_type(const Request& request) {
  const auto type = request.header("Content-Type").value_or("");
  return type.substr(0, type.find(';'));
}

bool is_in_lines(const Request& request) {
  const auto type = media_type(request);
  return type == "application/x-ndjson" || type == "application/jsonl";
}

// A JSON document is read as a whole, lines as they come.
class KpiEventsConsumer : public BodyConsumer {
 public:
  KpiEventsConsumer(const Request& request, Recorder& recorder)
      : in_lines_(is_in_lines(request)),
        intake_(recorder, request.caller()),
        lines_([this](KpiEventRow row, std::size_t size_bytes) {
          intake_.take(std::move(row), size_bytes);
        }) {}

  // For a body that is encoded.
  bool decode_as(std::string_view coding) {
    decoder_ = make_decoder(coding, [this](std::span<const std::byte> data) { add(data); });
    return decoder_ != nullptr;
  }

  void consume(std::span<const std::byte> data) override {
    with_progress([&] { decoder_ ? decoder_->decode(data) : add(data); });
  }

  Response finish() override {
    with_progress([&] {
      if (decoder_) decoder_->finish();
      if (in_lines_) {
        lines_.finish();
      } else {
        for (auto& row : read_kpi_event_document(document_))
          intake_.take(std::move(row), 0);
      }
      intake_.finish();
    });
    return json_response(200, intake_.answer());
  }

 private:
  void add(std::span<const std::byte> data) {
    if (in_lines_) return lines_.append(data);
    if (document_.size() + data.size() > kDocumentSizeMax) {
      throw Error(ErrorCode::too_large,
                  fmt::format("a document of events has at most {} bytes: send more of "
                              "them as application/x-ndjson",
                              kDocumentSizeMax));
    }
    document_ += as_text(data);
  }

  // Where a body breaks in the middle, its sender is told how much of it counts.
  template <class Step>
  void with_progress(Step step) {
    try {
      step();
    } catch (const Error& error) {
      throw Error(error.code(),
                  fmt::format("{} (rows dealt with before: {}; sending them again is safe)",
                              error.what(), intake_.rows_done()),
                  error.fields());
    }
  }

  const bool in_lines_;
  KpiIntake intake_;
  KpiEventLines lines_;
  std::string document_;
  std::unique_ptr<ContentDecoder> decoder_;
};

// Lets the body pass by, and says why it is of no use.
class UnknownCoding : public BodyConsumer {
 public:
  UnknownCoding(const Request& request, std::string_view coding)
      : response_(problem_response(
            415,
            fmt::format("there is no content coding '{}' here: {}, or none",
                        coding.substr(0, 40), kContentCodings),
            request.head().id)) {
    response_.headers.set("Accept-Encoding", std::string(kContentCodings));
  }
  void consume(std::span<const std::byte>) override {}
  Response finish() override { return std::move(response_); }

 private:
  Response response_;
};

json number_of(const Amount& amount) {
  constexpr double kExactMax = 1ll << 53;
  const double number = amount.to_double();
  const bool is_whole = std::trunc(number) == number && std::abs(number) <= kExactMax;
  return is_whole ? json(static_cast<std::int64_t>(number)) : json(number);
}

json resources_json(const LedgerEntry& entry) {
  json resources = json::object();
  if (entry.cpu_seconds) resources["cpu_seconds"] = number_of(*entry.cpu_seconds);
  if (entry.gpu_seconds) resources["gpu_seconds"] = number_of(*entry.gpu_seconds);
  if (entry.energy_kwh) resources["energy_kwh"] = number_of(*entry.energy_kwh);
  return resources;
}

json to_json(const LedgerEntries::Item& item) {
  const LedgerEntry& entry = item.entry;
  json document{{"sequence", item.sequence},
                {"position", item.position},
                {"recorded_at", format_rfc3339(item.recorded_at)},
                {"hash", item.hash.to_string()},
                {"principal", item.principal},
                {"kpi", entry.kpi},
                {"namespace", entry.ns},
                {"event_id", entry.event_id},
                {"value", number_of(entry.value)}};
  if (entry.occurred_at) document["occurred_at"] = format_rfc3339(*entry.occurred_at);
  if (!entry.model.empty()) document["model"] = entry.model;
  if (!entry.subject.empty()) document["subject"] = entry.subject;
  if (!entry.evidence.empty()) document["evidence"] = entry.evidence;
  if (json resources = resources_json(entry); !resources.empty()) {
    document["resources"] = std::move(resources);
  }
  if (entry.is_correction()) {
    document["corrects"] = entry.corrects;
    document["reason"] = entry.reason;
  }
  return document;
}

std::optional<Name> name_in_query(const Request& request, std::string_view parameter,
                                  const char* what) {
  const auto text = request.query(parameter);
  if (!text) return std::nullopt;
  return Name::parse(what, *text);
}

}  // namespace

std::unique_ptr<BodyConsumer> post_kpi_events(const Request& request, Services& services) {
  auto consumer = std::make_unique<KpiEventsConsumer>(request, services.recorder);
  const auto coding = request.header("Content-Encoding").value_or("");
  if (coding.empty() || coding == "identity" || consumer->decode_as(coding)) {
    return consumer;
  }
  return std::make_unique<UnknownCoding>(request, coding);
}

Response list_kpi_events(const Request& request, Services& services) {
  const LedgerEntries::Question question{
      .kpi = name_in_query(request, "kpi", "a KPI"),
      .ns = name_in_query(request, "namespace", "a namespace")};
  const auto page = services.ledger_entries.list(request.caller(), question,
                                                 {request.limit(), request.after()});

  auto items = json::array();
  for (const auto& item : page.items) items.push_back(to_json(item));
  return with_etag(request, list_response(std::move(items), page.next));
}

}  // namespace mendel::registry::api
