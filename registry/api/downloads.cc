#include "registry/api/downloads.h"

#include <chrono>
#include <cstddef>

#include "registry/api/json.h"
#include "registry/api/names.h"
#include "registry/services/downloads.h"
#include "registry/services/versions.h"
#include "storage/base/clock.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

constexpr std::size_t kDaysShownMax = 31;

std::string date_of(std::chrono::sys_days day) {
  return format_rfc3339(Timestamp(day)).substr(0, std::string_view("2024-02-13").size());
}

}  // namespace

void count_download(const Request& request, Services& services, const Version& version,
                    const Response& response) {
  if (request.head().method == "HEAD") return;
  const auto range = response.headers.find("Content-Range");
  const bool is_first_part =
      response.status == 206 && range && range->starts_with("bytes 0-");
  if (response.status == 200 || is_first_part) services.downloads.count(version.id);
}

Response get_downloads(const Request& request, Services& services) {
  const auto record =
      services.versions.get(artifact_of(request), kind_of(request), ref_of(request));
  const auto downloads = services.downloads.of(record->version.id, kDaysShownMax);

  json days = json::array();
  for (const auto& day : downloads.days) {
    days.push_back({{"date", date_of(day.day)}, {"downloads", day.downloads}});
  }
  return json_response(200, {{"version", record->version.reference()},
                             {"downloads", downloads.total},
                             {"days", std::move(days)}});
}

}  // namespace mendel::registry::api
