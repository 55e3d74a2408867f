#include "registry/services/egress/address_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/services/egress/egress.h"
#include "storage/base/error.h"

namespace mendel::registry {
namespace {

using ::testing::HasSubstr;
using Transport = AddressRules::Transport;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

bool by_https(const AddressRules& rules, std::string_view host, std::string_view address) {
  return rules.permit(Transport::https, host, ip(address));
}
bool by_http(const AddressRules& rules, std::string_view host, std::string_view address) {
  return rules.permit(Transport::plain_http, host, ip(address));
}

TEST(AddressRules, WithoutExceptionsPermitHttpsToPublicAddresses) {
  const AddressRules rules;
  for (const char* address :
       {"1.1.1.1", "140.82.121.4", "172.15.0.1", "172.32.0.1", "100.63.255.255",
        "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:1.1.1.1"}) {
    EXPECT_TRUE(by_https(rules, "example.org", address)) << address;
    EXPECT_FALSE(by_http(rules, "example.org", address)) << address;
  }
}

TEST(AddressRules, RefuseEveryAddressThatIsNotPublic) {
  const AddressRules rules;
  for (const char* address : {"0.0.0.0",
                              "0.1.2.3",
                              "10.0.0.1",
                              "10.255.255.255",
                              "100.64.0.1",
                              "100.100.100.200",
                              "100.127.255.255",
                              "127.0.0.1",
                              "127.255.255.254",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.1",
                              "192.0.2.1",
                              "192.88.99.1",
                              "192.168.1.1",
                              "198.18.0.1",
                              "198.51.100.1",
                              "203.0.113.1",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::ffff:169.254.169.254",
                              "::7f00:1",
                              "64:ff9b::7f00:1",
                              "64:ff9b:1::1",
                              "100::1",
                              "2001::1",
                              "2001:db8::1",
                              "2002:7f00:1::",
                              "3fff::1",
                              "5f00::1",
                              "fc00::1",
                              "fd00:ec2::254",
                              "fe80::1",
                              "fec0::1",
                              "ff02::1"}) {
    EXPECT_FALSE(by_https(rules, "example.org", address)) << address;
    EXPECT_FALSE(by_http(rules, "example.org", address)) << address;
  }
}

TEST(AddressRules, PermitTheNetworksThatTheOperatorLists) {
  const auto rules = AddressRules::parse({"10.1.0.0/16, 192.168.1.7", "fd00:1::/32"});
  EXPECT_TRUE(by_http(rules, "x", "10.1.2.3"));
  EXPECT_TRUE(by_https(rules, "x", "10.1.2.3"));
  EXPECT_TRUE(by_https(rules, "x", "::ffff:10.1.2.3"));
  EXPECT_FALSE(by_https(rules, "x", "10.2.0.0"));
  EXPECT_TRUE(by_http(rules, "x", "192.168.1.7"));
  EXPECT_FALSE(by_http(rules, "x", "192.168.1.8"));
  EXPECT_TRUE(by_http(rules, "x", "fd00:1:ffff::1"));
  EXPECT_FALSE(by_http(rules, "x", "fd00:2::1"));
}

TEST(AddressRules, PermitTheHostsThatTheOperatorNames) {
  const auto rules = AddressRules::parse({"Git.Example.org,*.inner.example"});
  EXPECT_TRUE(by_http(rules, "git.example.org", "10.0.0.1"));
  EXPECT_TRUE(by_http(rules, "git.example.org", "127.0.0.1"));
  EXPECT_TRUE(by_http(rules, "a.inner.example", "1.1.1.1"));
  EXPECT_TRUE(by_https(rules, "a.b.inner.example", "192.168.0.1"));
  EXPECT_FALSE(by_https(rules, "inner.example", "10.0.0.1"));
  EXPECT_FALSE(by_https(rules, "evilinner.example", "10.0.0.1"));
  EXPECT_FALSE(by_https(rules, "git.example.org.evil.net", "10.0.0.1"));
}

TEST(AddressRules, LetNoNameLeadToWhereCloudsKeepCredentials) {
  const auto rules = AddressRules::parse({"git.example.org"});
  for (const char* address :
       {"169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "ff02::1",
        "::", "100.100.100.200", "fd00:ec2::254", "64:ff9b::a9fe:a9fe"}) {
    EXPECT_FALSE(by_https(rules, "git.example.org", address)) << address;
  }
  EXPECT_TRUE(by_http(AddressRules::parse({"169.254.169.254"}), "x", "169.254.169.254"));
}

TEST(AddressRules, RefuseAListThatIsWrong) {
  for (const char* list :
       {"10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/x", "10.0.0", "fd00::/129",
        "::ffff:10.0.0.0/104", "http://example.org", "example.org:80", "exa mple.org", "*",
        "*.", "*.*.org", "example.org/x", "me@example.org", "0x7f.1"}) {
    try {
      AddressRules::parse({list});
      ADD_FAILURE() << list;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      EXPECT_THAT(error.what(), HasSubstr("--egress-allow: '"));
    }
  }
  AddressRules::parse({"", " , ", "10.0.0.0/8,"});
}

// A name server that answers with what it is told to, and counts.
struct Names {
  std::vector<std::string> addresses;
  int asked = 0;

  Egress egress(const std::vector<std::string>& exceptions = {}) {
    return Egress(AddressRules::parse(exceptions), [this](const std::string&) {
      ++asked;
      std::vector<IpAddress> found;
      for (const auto& address : addresses) found.push_back(ip(address));
      return found;
    });
  }
};

Authority at(const char* text) { return Authority::parse("the host", text); }

TEST(Destination, IsPinnedToTheAddressesThatWereJudged) {
  Names names{{"10.0.0.1", "1.1.1.1", "::1", "2606:4700::1111"}};
  const auto to = names.egress().destination("https", at("example.org"));
  EXPECT_EQ(to.pin(), "example.org:443:1.1.1.1,[2606:4700::1111]");
  EXPECT_EQ(names.asked, 1);
}

TEST(Destination, IsRefusedWhereNoAddressIsPermitted) {
  Names names{{"10.0.0.1", "::1"}};
  for (const char* scheme : {"https", "http", "file", "ssh", "gopher", ""}) {
    try {
      names.egress().destination(scheme, at("example.org:8443"));
      ADD_FAILURE() << scheme;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::permission_denied);
      EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("10.0.0.1")));
    }
  }
  EXPECT_EQ(names.egress({"10.0.0.0/8"}).destination("http", at("example.org:81")).pin(),
            "example.org:81:10.0.0.1");
}

TEST(Destination, OfAnAddressAsksNoNameServer) {
  Names names{{"1.1.1.1"}};
  EXPECT_THROW(names.egress().destination("https", at("127.0.0.1")), Error);
  EXPECT_THROW(names.egress().destination("https", at("[::1]")), Error);
  EXPECT_THROW(names.egress().destination("https", at("[::ffff:127.0.0.1]")), Error);
  EXPECT_EQ(names.egress().destination("https", at("1.0.0.1")).pin(), "-nothing.invalid:1");
  EXPECT_EQ(names.asked, 0);
}

TEST(EgressSend, RefusesUrlsThatProgramsReadDifferently) {
  Names names{{"1.1.1.1"}};
  for (const char* url :
       {"", "example.org", "/etc/passwd", "https://a\\@b/", "https://a b/",
        "https://a/\r\nX: y", "https://me:pass@example.org/", "https://127.1/",
        "https://[::1/", "https://"}) {
    try {
      names.egress().send({.method = "GET",
                           .url = url,
                           .headers = {},
                           .body = {},
                           .time_max = std::chrono::seconds(5),
                           .answer_size_max = 1000});
      ADD_FAILURE() << url;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << url;
    }
  }
  EXPECT_EQ(names.asked, 0);
}

}  // namespace
}  // namespace mendel::registry
