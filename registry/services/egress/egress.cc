#include "registry/services/egress/egress.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "storage/base/error.h"

namespace mendel::registry {

namespace {

constexpr auto kConnectTimeout = std::chrono::seconds(10);
constexpr auto kStallTimeout = std::chrono::seconds(20);
constexpr std::size_t kAddressesMax = 16;
constexpr std::string_view kWhat = "the URL";

// Takes back what was never said. (libcurl 7.88 reads no IPv6 address as the host of a
// pin.)
constexpr std::string_view kPinOfNothing = "-nothing.invalid:1";

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

IpAddress address_of(const addrinfo& entry) {
  if (entry.ai_family == AF_INET) {
    std::array<std::uint8_t, 4> bytes{};
    const auto* socket_address = reinterpret_cast<const sockaddr_in*>(entry.ai_addr);
    std::memcpy(bytes.data(), &socket_address->sin_addr, bytes.size());
    return IpAddress::from_v4(bytes);
  }
  std::array<std::uint8_t, 16> bytes{};
  const auto* socket_address = reinterpret_cast<const sockaddr_in6*>(entry.ai_addr);
  std::memcpy(bytes.data(), &socket_address->sin6_addr, bytes.size());
  return IpAddress::from_v6(bytes);
}

// Taken apart by us and put together again, so that libcurl reads the host that was judged.
struct WebUrl {
  std::string scheme;
  Authority authority;
  std::string target;

  static WebUrl parse(std::string_view text) {
    for (const char c : text) {
      if (c <= ' ' || c == 127 || c == '\\' || static_cast<unsigned char>(c) > 127)
        throw Error(ErrorCode::invalid_argument,
                    "the URL has only printable ASCII, no spaces and no '\\'");
    }
    const auto end = text.find("://");
    if (end == std::string_view::npos)
      throw Error(ErrorCode::invalid_argument, "the URL begins with https://");
    const auto rest = text.substr(end + 3);
    const auto target = std::min(rest.find_first_of("/?#"), rest.size());
    WebUrl url{lower_case(text.substr(0, end)),
               Authority::parse(kWhat, rest.substr(0, target)),
               std::string(rest.substr(target, rest.find('#') - target))};
    if (!url.authority.user.empty())
      throw Error(ErrorCode::invalid_argument,
                  "the URL must not hold a user or a password");
    if (!url.target.starts_with('/')) url.target.insert(0, "/");
    return url;
  }
};

void check_headers(const std::vector<std::string>& headers) {
  for (const auto& header : headers) {
    if (header.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      throw Error(ErrorCode::invalid_argument, "a header is one line");
  }
}

}  // namespace

std::string Destination::pin() const {
  if (IpAddress::parse(host)) return std::string(kPinOfNothing);
  std::string text = Authority{.user = {}, .host = host, .port = port}.text() + ":";
  for (const auto& address : addresses) {
    if (!text.ends_with(':')) text += ',';
    text += address.is_v4() ? address.text() : "[" + address.text() + "]";
  }
  return text;
}

std::vector<IpAddress> Egress::look_up_by_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int failure = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  if (failure != 0) {
    throw Error(ErrorCode::unavailable,
                "cannot find the host " + host + ": " + gai_strerror(failure));
  }
  std::vector<IpAddress> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET || entry->ai_family == AF_INET6)
      addresses.push_back(address_of(*entry));
  }
  return addresses;
}

Destination Egress::destination(std::string_view scheme, const Authority& authority) const {
  if (scheme != "https" && scheme != "http") {
    throw Error(ErrorCode::permission_denied,
                "the server speaks to others by https, not by " + std::string(scheme));
  }
  const bool is_https = scheme == "https";
  Destination made{.scheme = std::string(scheme),
                   .host = authority.host,
                   .port = authority.port.value_or(is_https ? 443 : 80),
                   .addresses = {}};
  const auto transport =
      is_https ? AddressRules::Transport::https : AddressRules::Transport::plain_http;
  const auto literal = IpAddress::parse(authority.host);
  for (const auto& address :
       literal ? std::vector<IpAddress>{*literal} : look_up_(authority.host)) {
    if (made.addresses.size() < kAddressesMax &&
        rules_.permit(transport, authority.host, address))
      made.addresses.push_back(address);
  }
  if (made.addresses.empty()) {
    throw Error(ErrorCode::permission_denied,
                "this server may not connect to " + std::string(scheme) + "://" +
                    authority.text() +
                    ": it takes https to public addresses, and what its operator lists "
                    "with --egress-allow");
  }
  return made;
}

HttpAnswer Egress::send(const Request& request) const {
  const WebUrl url = WebUrl::parse(request.url);
  check_headers(request.headers);
  const Destination to = destination(url.scheme, url.authority);
  HttpClient client({.connect_timeout = kConnectTimeout,
                     .stall_timeout = kStallTimeout,
                     .body_size_bytes_max = request.answer_size_max,
                     .ca_file = {},
                     .ca_directory = {},
                     .user_agent = "mendeld",
                     .cancelled = nullptr});
  return client.send({.method = request.method,
                      .url = url.scheme + "://" + url.authority.text() + url.target,
                      .headers = request.headers,
                      .body = request.body,
                      .streamed_body = nullptr,
                      .pinned_to = to.pin(),
                      .time_max = request.time_max});
}

}  // namespace mendel::registry
