#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdio>
#include <memory>

#include "registry/http/server.h"
#include "storage/base/error.h"
#include "tests/testing/http_socket.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/toy_application.h"

namespace mendel::registry::http {

namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::HttpSocket;
using testing::TemporaryDirectory;
using testing::toy_bytes;
using testing::ToyApplication;

template <auto kFree>
struct Free {
  void operator()(auto* thing) const { kFree(thing); }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using File = std::unique_ptr<std::FILE, Free<std::fclose>>;

TlsFiles make_self_signed(const TemporaryDirectory& directory) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  const auto* const host = reinterpret_cast<const unsigned char*>("localhost");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host, -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_sign(certificate.get(), key.get(), EVP_sha256());

  TlsFiles files{directory / "certificate.pem", directory / "key.pem"};
  const File certificate_file(std::fopen(files.certificate_chain_file.c_str(), "w"));
  PEM_write_X509(certificate_file.get(), certificate.get());
  const File key_file(std::fopen(files.private_key_file.c_str(), "w"));
  PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return files;
}

// TLS over a connected socket.
class TlsClient {
 public:
  TlsClient(HttpSocket socket, int version_max)
      : socket_(std::move(socket)), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), version_max);
    SSL_CTX_set_cipher_list(context_.get(), "DEFAULT:@SECLEVEL=0");
    tls_.reset(SSL_new(context_.get()));
    SSL_set_fd(tls_.get(), socket_.fd());
  }

  bool handshake() { return SSL_connect(tls_.get()) == 1; }

  bool send(std::string_view bytes) {
    std::size_t sent = 0;
    return SSL_write_ex(tls_.get(), bytes.data(), bytes.size(), &sent) == 1;
  }

  std::string read_to_end() {
    std::string all;
    std::array<char, 65536> buffer;
    std::size_t size = 0;
    while (SSL_read_ex(tls_.get(), buffer.data(), buffer.size(), &size) == 1) {
      all.append(buffer.data(), size);
    }
    return all;
  }

  bool was_closed_in_order() const {
    return (SSL_get_shutdown(tls_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }

 private:
  HttpSocket socket_;
  std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, Free<SSL_free>> tls_;
};

class TlsServer : public ::testing::Test {
 protected:
  void start(const Limits& limits) {
    server = std::make_unique<Server>(
        ServerOptions{"127.0.0.1", 0, make_self_signed(directory), 1, limits}, toy,
        workers);
    server->start();
  }

  TemporaryDirectory directory;
  ToyApplication toy;
  Workers workers{{2, 16}};
  std::unique_ptr<Server> server;
};

TEST_F(TlsServer, GoesThereAndBack) {
  start(Limits{});
  TlsClient client(HttpSocket(server->port()), TLS1_3_VERSION);
  ASSERT_TRUE(client.handshake());
  const std::string body = toy_bytes(1'000'000);
  client.send("GET /memory HTTP/1.1\r\nHost: a\r\n\r\n");
  client.send("PUT /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + body);
  client.send("GET /chunked/300000 HTTP/1.1\r\nHost: a\r\n\r\n");
  client.send("GET /shared/1000000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string replies = client.read_to_end();
  EXPECT_THAT(replies, HasSubstr("\r\n\r\nhelloHTTP/1.1 200 OK"));
  EXPECT_THAT(replies, HasSubstr("\r\n\r\n1000000HTTP/1.1 200 OK"));
  EXPECT_TRUE(replies.ends_with("\r\n\r\n" + body));
  EXPECT_TRUE(client.was_closed_in_order());
}

TEST_F(TlsServer, RefusesOldVersions) {
  start(Limits{});
  EXPECT_FALSE(TlsClient(HttpSocket(server->port()), TLS1_1_VERSION).handshake());
  EXPECT_TRUE(TlsClient(HttpSocket(server->port()), TLS1_2_VERSION).handshake());
}

TEST_F(TlsServer, ShowsItsAnswerToAClientThatIsStillSending) {
  start(Limits{});
  TlsClient client(HttpSocket(server->port()), TLS1_3_VERSION);
  ASSERT_TRUE(client.handshake());
  client.send("PUT /forbidden HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n");
  client.send(toy_bytes(200'000));
  EXPECT_THAT(client.read_to_end(), EndsWith("\r\n\r\nforbidden"));
}

TEST_F(TlsServer, ClosesAConnectionWithoutAHandshake) {
  Limits limits;
  limits.handshake_timeout = std::chrono::milliseconds(100);
  start(limits);
  HttpSocket silent(server->port());
  EXPECT_TRUE(silent.is_closed_by_server());
  HttpSocket plain(server->port());
  plain.send("GET /memory HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(plain.read_to_end().find("hello"), std::string::npos);
}

TEST_F(TlsServer, SaysWhichFilesItCannotLoad) {
  Server broken({"127.0.0.1", 0, TlsFiles{"/nowhere.pem", "/nowhere.key"}, 1, {}}, toy,
                workers);
  try {
    broken.start();
    FAIL() << "started without a certificate";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.what(), HasSubstr("/nowhere.pem"));
  }
}

}  // namespace

}  // namespace mendel::registry::http
