#include "registry/api/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace mendel::registry::api {

namespace {

const prometheus::Histogram::BucketBoundaries kSeconds{0.0001, 0.001, 0.01, 0.1,
                                                       1,      10,    100};

using Labels = std::map<std::string, std::string>;

template <class Metric>
prometheus::Family<Metric>& family(prometheus::Registry& registry, const char* name,
                                   const char* help);

template <>
prometheus::Family<prometheus::Counter>& family(prometheus::Registry& registry,
                                                const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

template <>
prometheus::Family<prometheus::Histogram>& family(prometheus::Registry& registry,
                                                  const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

}  // namespace

struct Metrics::State {
  // The series of one route, looked up once: prometheus-cpp hashes labels at every Add().
  struct Series {
    prometheus::Counter* requests;
    prometheus::Histogram* seconds;
    prometheus::Counter* bytes_in;
    prometheus::Counter* bytes_out;
  };
  struct Key {
    std::string_view method;
    std::string_view pattern;
    int status;
    auto operator<=>(const Key&) const = default;
  };

  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests = family<prometheus::Counter>(
      registry, "mendel_http_requests_total", "Requests answered, by route and status.");
  prometheus::Family<prometheus::Histogram>& seconds =
      family<prometheus::Histogram>(registry, "mendel_http_request_seconds",
                                    "From a request's head to its last byte sent.");
  prometheus::Family<prometheus::Counter>& bytes_in = family<prometheus::Counter>(
      registry, "mendel_http_received_bytes_total", "Body bytes received.");
  prometheus::Family<prometheus::Counter>& bytes_out = family<prometheus::Counter>(
      registry, "mendel_http_sent_bytes_total", "Body bytes sent.");

  std::shared_mutex mutex;
  std::map<Key, Series> series;

  Series series_of(const Key& key) {
    {
      const std::shared_lock lock(mutex);
      if (const auto found = series.find(key); found != series.end()) return found->second;
    }
    const Labels route{{"method", std::string(key.method)},
                       {"route", std::string(key.pattern)}};
    Labels with_status = route;
    with_status["status"] = std::to_string(key.status);
    const std::unique_lock lock(mutex);
    return series
        .try_emplace(key, Series{&requests.Add(with_status), &seconds.Add(route, kSeconds),
                                 &bytes_in.Add(route), &bytes_out.Add(route)})
        .first->second;
  }
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

// method and pattern come from the route table, so the key's views outlive the map.
void Metrics::request_completed(std::string_view method, std::string_view pattern,
                                const Completion& completion) {
  const State::Series series = state_->series_of({method, pattern, completion.status});
  series.requests->Increment();
  series.seconds->Observe(static_cast<double>(completion.duration.count()) * 1e-6);
  series.bytes_in->Increment(static_cast<double>(completion.bytes_in));
  series.bytes_out->Increment(static_cast<double>(completion.bytes_out));
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace mendel::registry::api
