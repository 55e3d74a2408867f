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
  for (;;) {
    if (!index_ || pack_ != pack_name) {
      index_ = with_absence_as_loss([&] { return packs_.index(pack_name); });
      pack_ = pack_name;
    }
    const RecordLocation* found = index_->find(type, digest);
    if (found != nullptr || index_->name() == pack_name || !packs_.unfollow(pack_name)) {
      return found;
    }
    index_.reset();
  }
}

void RecordReader::read(const Digest& pack_name, RecordType type, const Digest& digest,
                        std::span<std::byte> raw) {
  read_with(pack_name, type, digest, [&](const RecordLocation& location) {
    if (location.header.raw_size_bytes != raw.size()) {
      throw Error(ErrorCode::data_loss, "record " + digest.to_string() + " of pack " +
                                            pack_name.hex() + " has " +
                                            std::to_string(location.header.raw_size_bytes) +
                                            " bytes and not " + std::to_string(raw.size()));
    }
    return raw;
  });
}

std::vector<std::byte> RecordReader::read(const Digest& pack_name, RecordType type,
                                          const Digest& digest) {
  std::vector<std::byte> raw;
  read_with(pack_name, type, digest, [&](const RecordLocation& location) {
    raw.resize(location.header.raw_size_bytes);
    return std::span(raw);
  });
  return raw;
}

template <class Room>
void RecordReader::read_with(const Digest& pack_name, RecordType type, const Digest& digest,
                             Room room_for) {
  with_absence_as_loss([&] {
    for (;;) {
      const RecordLocation& location = get(pack_name, type, digest);
      const std::span<std::byte> room = room_for(location);
      try {
        return read_record(packs_.objects(), index_->name(), location, scratch_, room);
      } catch (const Error& error) {
        const bool is_missing = error.code() == ErrorCode::not_found;
        if (!is_missing || !packs_.follow(pack_name, index_->name())) throw;
      }
      index_.reset();
    }
  });
}

const RecordLocation& RecordReader::get(const Digest& pack_name, RecordType type,
                                        const Digest& digest) {
  if (const RecordLocation* location = find(pack_name, type, digest)) return *location;
  throw Error(ErrorCode::data_loss,
              "pack " + pack_name.hex() + " lacks record " + digest.to_string());
}

}  // namespace mendel::storage
