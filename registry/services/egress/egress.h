#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/services/egress/address_rules.h"
#include "registry/services/egress/authority.h"
#include "registry/services/egress/ip_address.h"
#include "storage/base/http_client.h"

namespace mendel::registry {

// Where a connection goes to: a host whose name was looked up, and those of its addresses
// that the rules permit. Who connects to it connects to these addresses and looks up
// nothing, so that no name can mean one thing when it is judged and another when it is
// used.
struct Destination {
  std::string scheme;  // "https" or "http"
  std::string host;
  std::uint16_t port = 0;
  std::vector<IpAddress> addresses;  // at least one

  // "host:port:address,address", as libcurl and git take it. Never empty, so that no proxy
  // looks the name up: where the host is an address, it says nothing about any host.
  std::string pin() const;
};

// The only way out of the server: decides where it may connect to, and speaks HTTP there.
// Any thread.
class Egress {
 public:
  // All addresses of a host. Throws unavailable.
  using LookUp = std::function<std::vector<IpAddress>(const std::string& host)>;
  static std::vector<IpAddress> look_up_by_system(const std::string& host);

  Egress(AddressRules rules, LookUp look_up)
      : rules_(std::move(rules)), look_up_(std::move(look_up)) {}

  // Throws permission_denied where the rules permit none of the host's addresses, or
  // another scheme than http and https; unavailable where the host is not known.
  Destination destination(std::string_view scheme, const Authority& authority) const;

  struct Request {
    std::string method;
    std::string url;  // without user and password
    std::vector<std::string> headers;
    std::string body;
    std::chrono::milliseconds time_max;
    std::uint64_t answer_size_max = 0;
  };

  // The answer, whatever its status; redirects are answers. Throws as destination() and
  // HttpClient do, invalid_argument for what is no URL.
  HttpAnswer send(const Request& request) const;

 private:
  const AddressRules rules_;
  const LookUp look_up_;
};

}  // namespace mendel::registry
