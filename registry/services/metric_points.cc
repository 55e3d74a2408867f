// Packed points, as they are kept in metric_block and metric_segment:
//
//   format     1 byte: 1
//   point…     up to the end:
//     name     varint: name_id * 2 + time_given
//     step     varint: zigzag of the difference to the step before (at first 0)
//     value    8 bytes, little endian: the bits of the double
//     time     varint: zigzag of the difference, in microseconds, to the time before (at
//              first 1970)
//
// A varint has seven bits per byte, the lowest first; the highest bit says that more
// follow. It is as short as can be. Differences wrap around at 64 bits. A point of a batch
// takes 11 or 12 bytes.

#include "registry/services/metric_points.h"

#include <cstring>
#include <string>
#include <utility>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr std::byte kFormat{1};
constexpr std::size_t kVarintSizeMax = 10;
constexpr std::size_t kPointSizeMin = 1 + 1 + sizeof(double) + 1;

static_assert(std::endian::native == std::endian::little);

std::uint64_t zigzag(std::uint64_t difference) {
  return (difference << 1) ^ (0 - (difference >> 63));
}
std::uint64_t unzigzag(std::uint64_t folded) { return (folded >> 1) ^ (0 - (folded & 1)); }

class Writer {
 public:
  explicit Writer(std::size_t size_expected) {
    bytes_.reserve(size_expected);
    bytes_.push_back(kFormat);
  }

  void varint(std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) {
      bytes_.push_back(static_cast<std::byte>(number | 0x80));
    }
    bytes_.push_back(static_cast<std::byte>(number));
  }
  void number(double value) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof value);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

[[noreturn]] void damaged(const char* how) {
  throw Error(ErrorCode::data_loss, std::string("stored metrics are damaged: ") + how);
}

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {
    if (rest_.empty() || rest_.front() != kFormat) damaged("unknown format");
    rest_ = rest_.subspan(1);
  }

  bool empty() const { return rest_.empty(); }

  std::uint64_t varint() {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < kVarintSizeMax && i < rest_.size(); ++i) {
      const auto byte = static_cast<std::uint64_t>(rest_[i]);
      number |= (byte & 0x7f) << (7 * i);
      if (byte & 0x80) continue;
      if (byte == 0 && i > 0) damaged("a number is longer than needed");
      if (i == kVarintSizeMax - 1 && byte > 1) damaged("a number is beyond 64 bits");
      rest_ = rest_.subspan(i + 1);
      return number;
    }
    damaged("a number has no end");
  }
  double number() {
    double value = 0;
    if (rest_.size() < sizeof value) damaged("a value is cut off");
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return value;
  }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace

std::size_t MetricPointHash::operator()(const MetricPoint& point) const {
  std::uint64_t hash = static_cast<std::uint64_t>(point.name_id) * 0x9e3779b97f4a7c15u;
  const auto mix = [&](std::uint64_t number) {
    hash = (hash ^ number) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  };
  mix(static_cast<std::uint64_t>(point.step));
  mix(std::bit_cast<std::uint64_t>(point.value));
  if (point.time_given) {
    mix(static_cast<std::uint64_t>(point.time.time_since_epoch().count()));
  }
  return hash;
}

std::vector<std::byte> encode_points(std::span<const MetricPoint> points) {
  Writer writer(1 + points.size() * (kPointSizeMin + 4));
  std::uint64_t step_before = 0;
  std::uint64_t time_before = 0;
  for (const MetricPoint& point : points) {
    const auto step = static_cast<std::uint64_t>(point.step);
    const auto time = static_cast<std::uint64_t>(point.time.time_since_epoch().count());
    writer.varint(static_cast<std::uint64_t>(point.name_id) * 2 +
                  (point.time_given ? 1 : 0));
    writer.varint(zigzag(step - std::exchange(step_before, step)));
    writer.number(point.value);
    writer.varint(zigzag(time - std::exchange(time_before, time)));
  }
  return writer.take();
}

std::vector<MetricPoint> decode_points(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  std::vector<MetricPoint> points;
  points.reserve(bytes.size() / kPointSizeMin);
  std::uint64_t step = 0;
  std::uint64_t time = 0;
  while (!reader.empty()) {
    MetricPoint& point = points.emplace_back();
    const std::uint64_t name = reader.varint();
    if (name / 2 > 0x7fffffff) damaged("a metric's number is too high");
    point.name_id = static_cast<std::int32_t>(name / 2);
    point.time_given = name % 2 != 0;
    step += unzigzag(reader.varint());
    point.step = static_cast<std::int64_t>(step);
    point.value = reader.number();
    time += unzigzag(reader.varint());
    point.time = Timestamp(std::chrono::microseconds(static_cast<std::int64_t>(time)));
  }
  return points;
}

}  // namespace mendel::registry
