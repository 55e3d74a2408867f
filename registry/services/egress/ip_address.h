#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mendel::registry {

// An address of IPv4 or IPv6. IPv4 within IPv6 ("::ffff:10.0.0.1") is the IPv4 address that
// the kernel connects to.
class IpAddress {
 public:
  static std::optional<IpAddress> parse(std::string_view text);
  static IpAddress from_v4(const std::array<std::uint8_t, 4>& bytes);
  static IpAddress from_v6(const std::array<std::uint8_t, 16>& bytes);

  bool is_v4() const { return is_v4_; }
  std::string text() const;

  // Reached over the internet and nothing but that: no private, loopback, link-local,
  // shared, multicast, documentation, benchmark, translated or reserved address.
  bool is_public() const;

  // Belongs to one machine or one link, or to nobody: loopback apart, no name may lead
  // there. Among them is where clouds keep their machines' credentials.
  bool is_never_named() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  friend class IpNetwork;
  bool is_v4_ = false;
  std::array<std::uint8_t, 16> bytes_{};  // IPv4: the first four
};

// "10.0.0.0/8", "fd00::/8", or one address.
class IpNetwork {
 public:
  // nullopt also where bits beyond the prefix are set: such a network is a mistake.
  static std::optional<IpNetwork> parse(std::string_view text);
  bool contains(const IpAddress& address) const;

 private:
  IpAddress base_;
  int prefix_ = 0;
};

}  // namespace mendel::registry
