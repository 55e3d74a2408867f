#include "registry/services/egress/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace mendel::registry {

namespace {

// What the registries of special-purpose addresses (RFC 6890 and its successors) list, and
// multicast.
constexpr std::string_view kSpecialV4[] = {
    "0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",
    "169.254.0.0/16", "172.16.0.0/12",  "192.0.0.0/24",  "192.0.2.0/24",
    "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4"};

// Of IPv6 only this is given to the internet, and of that not these: Teredo and other
// protocols, documentation, 6to4.
constexpr std::string_view kGlobalV6 = "2000::/3";
constexpr std::string_view kSpecialV6[] = {"2001::/23", "2001:db8::/32", "2002::/16",
                                           "3fff::/20"};

constexpr std::string_view kNeverNamed[] = {
    "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4",  "240.0.0.0/4",   "::/128",
    "fe80::/10", "ff00::/8",       "64:ff9b::/96", "fd00:ec2::254", "100.100.100.200"};

template <class List>
bool any_contains(const List& networks, const IpAddress& address) {
  return std::ranges::any_of(networks, [&](std::string_view network) {
    return IpNetwork::parse(network)->contains(address);
  });
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, terminated.c_str(), v4.data()) == 1) return from_v4(v4);
  std::array<std::uint8_t, 16> v6{};
  if (inet_pton(AF_INET6, terminated.c_str(), v6.data()) == 1) return from_v6(v6);
  return std::nullopt;
}

IpAddress IpAddress::from_v4(const std::array<std::uint8_t, 4>& bytes) {
  IpAddress address;
  address.is_v4_ = true;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

IpAddress IpAddress::from_v6(const std::array<std::uint8_t, 16>& bytes) {
  const bool mapped = std::all_of(bytes.begin(), bytes.begin() + 10,
                                  [](std::uint8_t byte) { return byte == 0; }) &&
                      bytes[10] == 0xff && bytes[11] == 0xff;
  if (mapped) return from_v4({bytes[12], bytes[13], bytes[14], bytes[15]});
  IpAddress address;
  address.bytes_ = bytes;
  return address;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(is_v4_ ? AF_INET : AF_INET6, bytes_.data(), buffer.data(), buffer.size());
  return buffer.data();
}

bool IpAddress::is_public() const {
  if (is_v4_) return !any_contains(kSpecialV4, *this);
  return IpNetwork::parse(kGlobalV6)->contains(*this) && !any_contains(kSpecialV6, *this);
}

bool IpAddress::is_never_named() const { return any_contains(kNeverNamed, *this); }

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpNetwork network;
  network.base_ = *address;
  network.prefix_ = address->is_v4_ ? 32 : 128;
  if (slash == std::string_view::npos) return network;

  const auto digits = text.substr(slash + 1);
  int prefix = -1;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (error != std::errc() || end != digits.data() + digits.size() || prefix < 0 ||
      prefix > network.prefix_) {
    return std::nullopt;
  }
  // "::ffff:10.0.0.0/104" would be a network of IPv4 with a prefix of IPv6.
  if (address->is_v4_ && text.find(':') != std::string_view::npos) return std::nullopt;
  network.prefix_ = prefix;
  IpAddress cut = *address;
  for (int bit = prefix; bit < (address->is_v4_ ? 32 : 128); ++bit) {
    cut.bytes_[static_cast<std::size_t>(bit / 8)] &=
        static_cast<std::uint8_t>(~(0x80u >> (bit % 8)));
  }
  if (!(cut == *address)) return std::nullopt;
  return network;
}

bool IpNetwork::contains(const IpAddress& address) const {
  if (address.is_v4_ != base_.is_v4_) return false;
  for (int bit = 0; bit < prefix_; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    if ((address.bytes_[byte] ^ base_.bytes_[byte]) & (0x80u >> (bit % 8))) return false;
  }
  return true;
}

}  // namespace mendel::registry
