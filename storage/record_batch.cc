#include "storage/record_batch.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "storage/base/crc32c.h"
#include "storage/base/error.h"
#include "storage/codec.h"
#include "storage/object_keys.h"

namespace mendel::storage {

namespace {

std::uint64_t end_of(const WantedRecord& record) {
  return record.location.offset + record.location.header.stored_size_bytes;
}

// How many of the records, which are in the order of their offsets, one read fetches.
std::size_t count_neighbours(std::span<const WantedRecord> records) {
  const std::uint64_t begin = records.front().location.offset;
  std::size_t count = 1;
  while (count < records.size() &&
         records[count].location.offset <= end_of(records[count - 1]) + kBatchReadGapMax &&
         end_of(records[count]) <= begin + kBatchReadSizeMax) {
    ++count;
  }
  return count;
}

void unpack(const Digest& pack_name, const WantedRecord& record,
            std::span<const std::byte> stored) {
  const RecordHeader& header = record.location.header;
  if (crc32c(stored) != header.checksum) {
    throw Error(ErrorCode::data_loss, "pack " + pack_name.hex() + ": the checksum of " +
                                          header.digest.to_string() + " differs");
  }
  if (header.codec != Codec::raw) {
    decompress(header.codec, stored, record.raw);
  } else if (!stored.empty()) {
    std::memcpy(record.raw.data(), stored.data(), stored.size());
  }
}

}  // namespace

void read_records(ObjectStore& objects, const Digest& pack_name,
                  std::vector<WantedRecord> wanted) {
  std::ranges::sort(wanted, {}, [](const WantedRecord& r) { return r.location.offset; });
  const std::string key = pack_key(pack_name);
  std::vector<std::byte> stored;
  for (std::span<const WantedRecord> rest = wanted; !rest.empty();) {
    const auto near = rest.first(count_neighbours(rest));
    rest = rest.subspan(near.size());

    const std::uint64_t begin = near.front().location.offset;
    stored.resize(end_of(near.back()) - begin);
    if (objects.read(key, begin, stored) != stored.size()) {
      throw Error(ErrorCode::data_loss,
                  "pack " + pack_name.hex() + " ends before its last record");
    }
    for (const WantedRecord& record : near) {
      unpack(pack_name, record,
             std::span(stored).subspan(record.location.offset - begin,
                                       record.location.header.stored_size_bytes));
    }
  }
}

}  // namespace mendel::storage
