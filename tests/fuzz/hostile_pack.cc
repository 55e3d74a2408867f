#include "tests/fuzz/hostile_pack.h"

#include <algorithm>
#include <cstdlib>

#include "storage/pack.h"

namespace mendel::testing {

namespace {

using namespace storage;

// Aborts where a promise of PackParser::Visitor is broken.
class CheckingVisitor : public PackParser::Visitor {
 public:
  void pack_bytes(std::span<const std::byte> data) override { pack_bytes_ += data.size(); }

  void record(const RecordHeader& header, std::span<const std::byte> raw) override {
    require(raw.size() == header.raw_size_bytes);
    require(raw.size() <= raw_size_max(header.type));
    require(Digest::of(raw) == header.digest);
    ++records_;
  }

  void pack_end(PackIndex index) override {
    require(index.pack_size_bytes() == pack_bytes_);
    require(index.records().size() == records_);
    for (const RecordLocation& location : index.records()) {
      const RecordHeader& header = location.header;
      require(index.find(header.type, header.digest) != nullptr);
      require(location.offset + header.stored_size_bytes < index.pack_size_bytes());
    }
    pack_bytes_ = 0;
    records_ = 0;
  }

 private:
  static void require(bool promise) {
    if (!promise) std::abort();
  }

  std::uint64_t pack_bytes_ = 0;
  std::size_t records_ = 0;
};

}  // namespace

bool parse_hostile_pack(std::span<const std::byte> input) {
  if (input.empty()) return false;
  const std::size_t piece_size = std::to_integer<std::size_t>(input[0]) + 1;
  CheckingVisitor visitor;
  PackParser parser(visitor, ErrorCode::unprocessable);
  try {
    for (auto rest = input.subspan(1); !rest.empty();) {
      const auto piece = rest.first(std::min(piece_size, rest.size()));
      parser.append(piece);
      rest = rest.subspan(piece.size());
    }
    parser.finish();
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unprocessable) std::abort();
    return false;
  }
}

}  // namespace mendel::testing
