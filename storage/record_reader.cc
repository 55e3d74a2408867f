#include "storage/record_reader.h"

#include <string>

#include "storage/base/error.h"

namespace mendel::storage {

namespace {

// An object store that lacks a pack says not_found, as it should.
template <typename Action>
auto with_absence_as_loss(Action action) {
  try {
    return action();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    throw Error(ErrorCode::data_loss, error.what());
  }
}

}  // namespace

const RecordLocation* RecordReader::find(const Digest& pack_name, RecordType type,
                                         const Digest& digest) {
  if (!index_ || index_->name() != pack_name) {
    index_ = with_absence_as_loss([&] { return packs_.index(pack_name); });
  }
  return index_->find(type, digest);
}

void RecordReader::read(const Digest& pack_name, RecordType type, const Digest& digest,
                        std::span<std::byte> raw) {
  with_absence_as_loss([&] {
    const RecordLocation& location = get(pack_name, type, digest);
    if (location.header.raw_size_bytes != raw.size()) {
      throw Error(ErrorCode::data_loss, "record " + digest.to_string() + " of pack " +
                                            pack_name.hex() + " has " +
                                            std::to_string(location.header.raw_size_bytes) +
                                            " bytes and not " + std::to_string(raw.size()));
    }
    read_record(packs_.objects(), pack_name, location, scratch_, raw);
  });
}

std::vector<std::byte> RecordReader::read(const Digest& pack_name, RecordType type,
                                          const Digest& digest) {
  return with_absence_as_loss([&] {
    const RecordLocation& location = get(pack_name, type, digest);
    std::vector<std::byte> raw(location.header.raw_size_bytes);
    read_record(packs_.objects(), pack_name, location, scratch_, raw);
    return raw;
  });
}

const RecordLocation& RecordReader::get(const Digest& pack_name, RecordType type,
                                        const Digest& digest) {
  if (const RecordLocation* location = find(pack_name, type, digest)) return *location;
  throw Error(ErrorCode::data_loss,
              "pack " + pack_name.hex() + " lacks record " + digest.to_string());
}

}  // namespace mendel::storage
