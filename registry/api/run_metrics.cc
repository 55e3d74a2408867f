#include "registry/api/run_metrics.h"

#include <fmt/format.h>

#include <charconv>

#include "registry/api/json.h"
#include "registry/api/metric_body.h"
#include "registry/api/metric_json.h"
#include "registry/api/run_access.h"
#include "registry/services/keep_rule.h"
#include "registry/services/metric_intake.h"
#include "registry/services/metric_reading.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kDocumentSizeMax = 1 << 20;
constexpr std::size_t kPointsMax = 100'000;
constexpr std::size_t kPointsDefault = 10'000;
constexpr std::size_t kBucketsMax = 10'000;

json to_json(const schema::MetricPointRow& point) {
  return {{"step", point.step},
          {"value", metric_value(point.value)},
          {"time", format_rfc3339(point.time)}};
}

json to_json(const MetricPoint& point) {
  return to_json(schema::MetricPointRow{point.step, point.value, point.time});
}

json to_json(const MetricReading::Bucket& bucket) {
  json document{{"first_step", bucket.first_step},
                {"last_step", bucket.last_step},
                {"count", bucket.count},
                {"last", metric_value(bucket.last)}};
  if (bucket.min) document["min"] = metric_value(*bucket.min);
  if (bucket.max) document["max"] = metric_value(*bucket.max);
  return document;
}

json to_json(const MetricReading::NamedSums& metric) {
  const MetricSums& sums = metric.sums;
  json document{{"name", metric.name}, {"count", sums.count}};
  if (sums.last) document["last"] = to_json(*sums.last);
  if (sums.min) document["min"] = to_json(*sums.min);
  if (sums.max) document["max"] = to_json(*sums.max);
  return document;
}

// A JSON document is read as a whole, lines as they come.
class MetricsConsumer : public BodyConsumer {
 public:
  MetricsConsumer(MetricIntake& intake, RunId run, bool in_lines)
      : intake_(intake),
        run_(run),
        in_lines_(in_lines),
        lines_([this](const MetricBatch& batch) { take(batch); }) {}

  void consume(std::span<const std::byte> data) override {
    if (in_lines_) return lines_.append(data);
    if (document_.size() + data.size() > kDocumentSizeMax) {
      throw Error(ErrorCode::too_large,
                  fmt::format("a document of metrics has at most {} bytes: send more of "
                              "them as application/x-ndjson",
                              kDocumentSizeMax));
    }
    document_ += as_text(data);
  }

  Response finish() override {
    if (in_lines_) {
      lines_.finish();
    } else {
      take(parse_metrics(document_));
    }
    return json_response(
        200, {{"accepted", taken_.accepted}, {"duplicates", taken_.duplicates}});
  }

 private:
  void take(const MetricBatch& batch) {
    const auto [accepted, duplicates] = intake_.take(run_, batch);
    taken_.accepted += accepted;
    taken_.duplicates += duplicates;
  }

  MetricIntake& intake_;
  const RunId run_;
  const bool in_lines_;
  MetricLines lines_;
  std::string document_;
  MetricIntake::Taken taken_;
};

bool is_in_lines(const Request& request) {
  const auto type = request.header("Content-Type").value_or("");
  return type.substr(0, type.find(';')) == "application/x-ndjson";
}

std::optional<std::size_t> count_in_query(const Request& request, std::string_view name,
                                          std::size_t max) {
  const auto text = request.query(name);
  if (!text) return std::nullopt;
  std::size_t count = 0;
  const char* const end = text->data() + text->size();
  const auto [last, status] = std::from_chars(text->data(), end, count);
  if (status != std::errc() || last != end || count < 1 || count > max) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is a whole number from 1 to {}", name, max));
  }
  return count;
}

// "<step>.<seen>".
MetricReading::Position position_after(const Request& request) {
  const auto after = request.after();
  if (!after) return {};
  MetricReading::Position position;
  const char* const end = after->data() + after->size();
  const auto [dot, status] = std::from_chars(after->data(), end, position.step);
  if (status == std::errc() && dot != end && *dot == '.') {
    const auto [last, seen_status] = std::from_chars(dot + 1, end, position.seen);
    const bool is_good = seen_status == std::errc() && last == end && position.step >= 0 &&
                         position.step <= kMetricStepMax && position.seen >= 0;
    if (is_good) return position;
  }
  throw Error(ErrorCode::invalid_argument, "after takes what 'next' said, unchanged");
}

void refuse_without_name(const Request& request) {
  for (const char* name : {"max_points", "select", "better", "limit", "after"}) {
    if (request.query(name)) {
      throw Error(ErrorCode::invalid_argument, fmt::format("{} goes with a name", name));
    }
  }
}

Response selected_point(const Request& request, const std::string& name,
                        const MetricSums& sums) {
  const auto select = *request.query("select");
  const auto better = request.query("better");
  std::optional<schema::MetricPointRow> point;
  if (select == "last" && !better) {
    point = sums.last;
  } else if (select == "best" && better) {
    point = parse_better(*better) == Better::min ? sums.min : sums.max;
  } else {
    throw Error(ErrorCode::invalid_argument,
                "select is last, or best together with better=min or better=max");
  }
  if (!point) {
    throw Error(ErrorCode::not_found, "all values of '" + name + "' are NaN");
  }
  json document = to_json(*point);
  document["name"] = name;
  return json_response(200, document);
}

Response series(const Request& request, MetricReading& metrics, RunId run,
                const std::string& name) {
  const auto max_points = count_in_query(request, "max_points", kBucketsMax);
  const std::size_t limit =
      count_in_query(request, "limit", kPointsMax).value_or(kPointsDefault);
  json document{{"name", name}};
  if (max_points &&
      metrics.sums(run, name).count > static_cast<std::int64_t>(*max_points)) {
    auto& list = document["buckets"] = json::array();
    for (const auto& bucket : metrics.buckets(run, name, *max_points)) {
      list.push_back(to_json(bucket));
    }
    return json_response(200, document);
  }
  const auto page = metrics.points(run, name, position_after(request), limit);
  auto& list = document["points"] = json::array();
  for (const MetricPoint& point : page.points) list.push_back(to_json(point));
  if (page.next) document["next"] = fmt::format("{}.{}", page.next->step, page.next->seen);
  return json_response(200, document);
}

}  // namespace

std::unique_ptr<BodyConsumer> post_run_metrics(const Request& request, Services& services) {
  const bool in_lines = is_in_lines(request);
  const auto run = writable_run(request, services);
  return std::make_unique<MetricsConsumer>(services.metric_intake, run.id, in_lines);
}

Response get_run_metrics(const Request& request, Services& services) {
  const auto run = readable_run(request, services);
  MetricReading& metrics = services.metric_reading;
  if (const auto name = request.query("name")) {
    const std::string metric(*name);
    if (request.query("select")) {
      return selected_point(request, metric, metrics.sums(run.id, metric));
    }
    if (request.query("better")) {
      throw Error(ErrorCode::invalid_argument, "better goes with select=best");
    }
    return series(request, metrics, run.id, metric);
  }
  refuse_without_name(request);
  auto items = json::array();
  for (const auto& metric : metrics.sums(run.id)) items.push_back(to_json(metric));
  return list_response(std::move(items), std::nullopt);
}

}  // namespace mendel::registry::api
