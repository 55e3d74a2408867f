#include "schema/downloads.h"

#include "schema/transaction.h"
#include "storage/base/clock.h"

namespace mendel::schema {

namespace {

constexpr Statement kAddDownloads{"add_downloads", R"sql(
  insert into version_download as counted (version_id, downloaded_on, downloads)
  select version_id, (day at time zone 'UTC')::date, downloads
    from unnest($1::bigint[], $2::timestamptz[], $3::bigint[]) as t (version_id, day, downloads)
  on conflict on constraint version_download_pk
  do update set downloads = counted.downloads + excluded.downloads
)sql"};

constexpr Statement kCountDownloads{"count_downloads", R"sql(
  select coalesce(sum(downloads), 0)::bigint as downloads
    from version_download where version_id = $1
)sql"};

constexpr Statement kListDownloads{"list_downloads", R"sql(
  select downloaded_on::timestamp at time zone 'UTC' as day, downloads
    from version_download where version_id = $1
   order by downloaded_on desc
   limit $2
)sql"};

}  // namespace

void add_downloads(Transaction& tx, std::span<const DownloadsOfDay> downloads) {
  if (downloads.empty()) return;
  tx.exec(kAddDownloads, array_of(downloads, &DownloadsOfDay::version_id),
          array_of(downloads, [](const DownloadsOfDay& row) { return Timestamp(row.day); }),
          array_of(downloads, &DownloadsOfDay::downloads));
}

std::int64_t count_downloads(Transaction& tx, std::int64_t version_id) {
  return at<std::int64_t>(*tx.exec_optional(kCountDownloads, version_id), "downloads");
}

std::vector<DownloadsOfDay> list_downloads(Transaction& tx, std::int64_t version_id,
                                           std::int64_t limit) {
  std::vector<DownloadsOfDay> days;
  for (const Row& row : tx.exec(kListDownloads, version_id, limit)) {
    days.push_back({.version_id = version_id,
                    .day = std::chrono::floor<std::chrono::days>(at<Timestamp>(row, "day")),
                    .downloads = at<std::int64_t>(row, "downloads")});
  }
  return days;
}

}  // namespace mendel::schema
