#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <future>
#include <memory>
#include <thread>

#include "registry/http/server.h"
#include "storage/base/error.h"
#include "tests/testing/http_socket.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/toy_application.h"

namespace mendel::registry::http {

namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using testing::HttpReply;
using testing::HttpSocket;
using ::testing::Not;
using testing::toy_bytes;
using testing::ToyApplication;

struct Settings {
  Workers::Options workers{2, 16};
  Limits limits;
};

// A server around the toy, on a port of its own.
class Site {
 public:
  explicit Site(const Settings& settings)
      : workers(settings.workers), server(options(settings), toy, workers) {
    server.start();
  }
  Site() : Site(Settings{}) {}
  ~Site() { toy.open_gate(); }

  HttpSocket connect() const { return HttpSocket(server.port()); }

  ToyApplication toy;
  Workers workers;
  Server server;

 private:
  static ServerOptions options(const Settings& settings) {
    return {"127.0.0.1", 0, std::nullopt, 2, settings.limits};
  }
};

std::string request(const std::string& method, const std::string& target,
                    const std::string& rest) {
  return method + " " + target + " HTTP/1.1\r\nHost: test\r\n" + rest;
}

std::string with_length(const std::string& method, const std::string& target,
                        const std::string& body) {
  return request(method, target,
                 "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

void wait_for_connections(const Server& server, std::size_t count) {
  while (server.connection_count() != count) std::this_thread::yield();
}

void wait_until_it_refuses(const Site& site) {
  try {
    for (;;) site.connect();
  } catch (const std::runtime_error&) {
    return;
  }
}

TEST(HttpServer, KeepsAConnectionAlive) {
  Site site;
  HttpSocket client = site.connect();
  for (int i = 0; i < 3; ++i) {
    const HttpReply reply = client.get("/memory");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "hello");
    EXPECT_EQ(reply.field("Content-Type"), "text/plain");
    EXPECT_EQ(reply.field("Connection"), "");
    EXPECT_FALSE(reply.field("Date").empty());
    EXPECT_EQ(reply.field("X-Request-Id").size(), 36u);
  }
  EXPECT_EQ(client.get("/stream/5").body, toy_bytes(5));
  EXPECT_EQ(client.get("/nothing").status, 404);
  EXPECT_EQ(client.get("/memory").status, 200);
}

TEST(HttpServer, ClosesWhenAskedTo) {
  Site site;
  HttpSocket client = site.connect();
  client.send(request("GET", "/memory", "Connection: close\r\n\r\n"));
  EXPECT_EQ(client.read_reply().field("Connection"), "close");
  EXPECT_TRUE(client.is_closed_by_server());
}

TEST(HttpServer, SpeaksHttp10) {
  Site site;
  HttpSocket client = site.connect();
  client.send("GET /memory HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.read_reply().field("Connection"), "keep-alive");
  client.send("GET /chunked/70000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const HttpReply reply = client.read_reply();
  EXPECT_EQ(reply.field("Connection"), "close");
  EXPECT_EQ(reply.field("Transfer-Encoding"), "");
  EXPECT_EQ(reply.body, toy_bytes(70000));
}

TEST(HttpServer, AnswersPipelinedRequestsInTheirOrder) {
  Site site;
  HttpSocket client = site.connect();
  client.send("\r\n" + request("GET", "/memory", "\r\n") +
              with_length("POST", "/echo", "one") + request("GET", "/stream/9", "\r\n") +
              with_length("POST", "/echo", "two") + request("GET", "/empty", "\r\n") +
              request("GET", "/memory", "\r\n"));
  EXPECT_EQ(client.read_reply().body, "hello");
  EXPECT_EQ(client.read_reply().body, "one");
  EXPECT_EQ(client.read_reply().body, toy_bytes(9));
  EXPECT_EQ(client.read_reply().body, "two");
  EXPECT_EQ(client.read_reply_without_body().status, 204);
  EXPECT_EQ(client.read_reply().body, "hello");
}

TEST(HttpServer, AnswersRequestsThatComeByteByByte) {
  Site site;
  HttpSocket client = site.connect();
  for (const char c : request("POST", "/echo", "Transfer-Encoding: chunked\r\n\r\n") +
                          "3;x=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Trailer: a\r\n\r\n") {
    client.send(std::string_view(&c, 1));
  }
  EXPECT_EQ(client.read_reply().body, "abc0123456789");
  EXPECT_EQ(client.get("/memory").status, 200);
}

TEST(HttpServer, SendsSharedBytes) {
  Site site;
  HttpSocket client = site.connect();
  EXPECT_EQ(client.get("/shared/3000000").body, toy_bytes(3'000'000));
  EXPECT_EQ(client.get("/shared/0").body, "");
}

TEST(HttpServer, StreamsBodiesOfAnySize) {
  Site site;
  HttpSocket client = site.connect();
  for (const std::uint64_t size :
       {0, 1, 262143, 262144, 262145, 524288, 524289, 3'000'000}) {
    SCOPED_TRACE(size);
    const HttpReply sized = client.get("/stream/" + std::to_string(size));
    EXPECT_EQ(sized.field("Content-Length"), std::to_string(size));
    EXPECT_TRUE(sized.body == toy_bytes(size));
    const HttpReply chunked = client.get("/chunked/" + std::to_string(size));
    EXPECT_EQ(chunked.field("Transfer-Encoding"), "chunked");
    EXPECT_TRUE(chunked.is_whole);
    EXPECT_TRUE(chunked.body == toy_bytes(size));
  }
}

TEST(HttpServer, TellsHeadWhatGetWouldSend) {
  Site site;
  HttpSocket client = site.connect();
  for (const std::string target :
       {"/memory", "/stream/1000000", "/shared/77", "/chunked/5"}) {
    client.send(request("HEAD", target, "\r\n"));
    const HttpReply head = client.read_reply_without_body();
    const HttpReply get = client.get(target);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.field("Content-Length"), get.field("Content-Length"));
    EXPECT_EQ(head.field("Transfer-Encoding"), get.field("Transfer-Encoding"));
  }
  EXPECT_EQ(site.toy.bytes_read, 1'000'005u);
}

TEST(HttpServer, SendsNoLengthWhereThereIsNoBody) {
  Site site;
  HttpSocket client = site.connect();
  for (const std::string target : {"/empty", "/not-modified"}) {
    client.send(request("GET", target, "\r\n"));
    const HttpReply reply = client.read_reply_without_body();
    EXPECT_EQ(reply.field("Content-Length"), "");
    EXPECT_EQ(reply.field("Transfer-Encoding"), "");
  }
  EXPECT_EQ(client.get("/memory").body, "hello");
}

TEST(HttpServer, LetsNoHeaderValueEndItsLine) {
  Site site;
  HttpSocket client = site.connect();
  const HttpReply reply = client.get("/injection");
  EXPECT_EQ(reply.field("X-Value"), "a  X-Injected: b");
  EXPECT_EQ(reply.field("X-Injected"), "");
  EXPECT_EQ(reply.field("Content-Length"), "0");
}

TEST(HttpServer, TakesBodiesWithLengthAndInChunks) {
  Site site;
  HttpSocket client = site.connect();
  const std::string body = toy_bytes(90'000);
  client.send(with_length("POST", "/echo", body));
  EXPECT_TRUE(client.read_reply().body == body);

  client.send(request("POST", "/echo", "Transfer-Encoding: chunked\r\n\r\n"));
  client.send("15f90\r\n" + body + "\r\n0\r\n\r\n");
  EXPECT_TRUE(client.read_reply().body == body);

  client.send(with_length("PUT", "/count", toy_bytes(5'000'000)));
  EXPECT_EQ(client.read_reply().body, "5000000");

  client.send(request("PUT", "/count", "Transfer-Encoding: chunked\r\n\r\n"));
  for (int i = 0; i < 20; ++i) client.send("15f90\r\n" + body + "\r\n");
  client.send("0\r\n\r\n");
  EXPECT_EQ(client.read_reply().body, "1800000");
  EXPECT_EQ(site.toy.wait_for_completed(4)[3].bytes_in, 1'800'000u);
}

TEST(HttpServer, DropsABodyThatNobodyWants) {
  Site site;
  HttpSocket client = site.connect();
  client.send(with_length("POST", "/ignore", toy_bytes(100'000)));
  EXPECT_EQ(client.read_reply().body, "ignored");
  client.send(with_length("POST", "/forbidden", "short"));
  EXPECT_EQ(client.read_reply().status, 403);
  EXPECT_EQ(client.get("/memory").status, 200);
}

TEST(HttpServer, GrantsABodyBeforeItIsSent) {
  Site site;
  HttpSocket client = site.connect();
  client.send(
      request("PUT", "/count", "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.read_reply_without_body().status, 100);
  client.send("12345");
  EXPECT_EQ(client.read_reply().body, "5");
  EXPECT_EQ(client.get("/memory").status, 200);
}

TEST(HttpServer, RefusesABodyBeforeItIsSent) {
  Site site;
  for (const auto& [target, status] :
       {std::pair{"/forbidden", 403}, std::pair{"/echo", 413},
        std::pair{"/nothing", 404}}) {
    HttpSocket client = site.connect();
    client.send(
        request("PUT", target, "Content-Length: 200000\r\nExpect: 100-continue\r\n\r\n"));
    const HttpReply reply = client.read_reply();
    EXPECT_EQ(reply.status, status);
    EXPECT_EQ(reply.field("Connection"), "close");
    EXPECT_TRUE(client.is_closed_by_server());
  }
}

TEST(HttpServer, ShowsItsAnswerToAClientThatIsStillSending) {
  Site site;
  for (const std::string target : {"/forbidden", "/picky"}) {
    HttpSocket client = site.connect();
    client.send(request("PUT", target, "Content-Length: 100000000\r\n\r\n"));
    client.send(toy_bytes(1'000'000));
    const HttpReply reply = client.read_reply();
    EXPECT_TRUE(reply.status == 403 || reply.status == 422);
    EXPECT_TRUE(reply.is_whole);
    EXPECT_EQ(reply.field("Connection"), "close");
  }
}

TEST(HttpServer, RefusesABodyThatGrowsTooLarge) {
  Site site;
  HttpSocket client = site.connect();
  client.send(request("POST", "/echo", "Transfer-Encoding: chunked\r\n\r\n"));
  client.send("30d40\r\n" + toy_bytes(200'000) + "\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 413);
  EXPECT_TRUE(client.is_closed_by_server());
}

TEST(HttpServer, RefusesAHeadThatIsTooLarge) {
  Site site;
  HttpSocket long_target = site.connect();
  long_target.send("GET /" + std::string(40'000, 'a'));
  EXPECT_EQ(long_target.read_reply().status, 431);
  EXPECT_TRUE(long_target.is_closed_by_server());

  HttpSocket many_fields = site.connect();
  std::string fields;
  for (int i = 0; i < 101; ++i) fields += "a: b\r\n";
  many_fields.send(request("GET", "/memory", fields + "\r\n"));
  EXPECT_EQ(many_fields.read_reply().status, 431);
}

TEST(HttpServer, RefusesWhatCouldBeReadInTwoWays) {
  struct Case {
    int status;
    std::string bytes;
  };
  const std::string end = "\r\n\r\n";
  const std::vector<Case> cases = {
      {400,
       request("POST", "/echo", "Content-Length: 3\r\nTransfer-Encoding: chunked" + end)},
      {400,
       request("POST", "/echo", "Transfer-Encoding: chunked\r\nContent-Length: 3" + end)},
      {400, request("POST", "/echo", "Content-Length: 3\r\nContent-Length: 4" + end)},
      {400, request("POST", "/echo", "Content-Length: -3" + end)},
      {400, request("POST", "/echo", "Content-Length: 99999999999999999999999" + end)},
      {400, request("POST", "/echo",
                    "Transfer-Encoding: chunked\r\nTransfer-Encoding: x" + end)},
      {501, request("POST", "/echo", "Transfer-Encoding: gzip" + end)},
      {501, request("POST", "/echo", "Transfer-Encoding: gzip, chunked" + end)},
      {400, "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked" + end},
      {400, "GET /memory HTTP/1.1" + end},
      {400, "GET /memory HTTP/1.1\r\nHost: a\r\nHost: b" + end},
      {400, "GET /memory HTTP/1.1\r\nHost : a" + end},
      {400, "GET /memory HTTP/1.1\r\n Host: a" + end},
      {400, "GET /me mory HTTP/1.1\r\nHost: a" + end},
      {400, "GET  HTTP/1.1\r\nHost: a" + end},
      {400, "GET /memory HTTP/3.0\r\nHost: a" + end},
      {400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {400, std::string("\x16\x03\x01\x02\x00\x01\x00", 7)},
      {400, std::string("GET /memory HTTP/1.1\r\nHost: a\0b", 32) + end},
  };
  Site site;
  for (const Case& refused : cases) {
    SCOPED_TRACE(refused.bytes);
    HttpSocket client = site.connect();
    client.send(refused.bytes);
    const HttpReply reply = client.read_reply();
    EXPECT_EQ(reply.status, refused.status);
    EXPECT_EQ(reply.field("Connection"), "close");
    EXPECT_FALSE(reply.field("X-Request-Id").empty());
    EXPECT_TRUE(client.is_closed_by_server());
  }
  EXPECT_EQ(site.toy.wait_for_completed(cases.size()).size(), cases.size());
}

TEST(HttpServer, RefusesMalformedChunks) {
  Site site;
  for (const std::string body : {"xyz\r\n", "5\r\nabcdefg\r\n", "ffffffffffffffffff\r\n",
                                 "-5\r\n", "3\r\nabc", "\r\n\r\n"}) {
    SCOPED_TRACE(body);
    HttpSocket client = site.connect();
    client.send(request("POST", "/echo", "Transfer-Encoding: chunked\r\n\r\n") + body);
    client.end_sending();
    const HttpReply reply = client.read_reply();
    EXPECT_TRUE(reply.status == 400 || reply.status == 0) << reply.status;
  }
  HttpSocket endless = site.connect();
  endless.send(request("POST", "/echo", "Transfer-Encoding: chunked\r\n\r\n") + "5;" +
               std::string(100'000, 'x'));
  EXPECT_EQ(endless.read_reply().status, 400);
}

TEST(HttpServer, SurvivesGarbage) {
  Site site;
  testing::SeededRandom random(7);
  const std::string seed = request("POST", "/echo", "Transfer-Encoding: chunked\r\n\r\n") +
                           "5\r\nabcde\r\n0\r\n\r\n" + with_length("POST", "/count", "xyz");
  for (int i = 0; i < 300; ++i) {
    std::string bytes = seed;
    for (std::size_t flips = 1 + random.below(4); flips > 0; --flips) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    HttpSocket client = site.connect();
    client.send(bytes);
    client.end_sending();
    client.read_to_end();
  }
  EXPECT_EQ(site.connect().get("/memory").body, "hello");
}

TEST(HttpServer, AnswersAHeadThatDoesNotEndWith408) {
  Settings settings;
  settings.limits.head_timeout = milliseconds(150);
  Site site(settings);
  HttpSocket client = site.connect();
  std::jthread loris([&client](std::stop_token stopped) {
    client.send("GET / HTTP/1.1\r\n");
    while (!stopped.stop_requested() && client.send("a: b\r\n")) {
      std::this_thread::sleep_for(milliseconds(40));
    }
  });
  HttpReply reply = client.read_reply();
  EXPECT_EQ(reply.status, 408);
}

TEST(HttpServer, ClosesAnIdleConnectionSilently) {
  Settings settings;
  settings.limits.idle_timeout = milliseconds(100);
  Site site(settings);
  HttpSocket client = site.connect();
  EXPECT_EQ(client.get("/memory").status, 200);
  EXPECT_TRUE(client.is_closed_by_server());
  EXPECT_EQ(site.toy.wait_for_completed(1).size(), 1u);
}

TEST(HttpServer, AnswersABodyThatDoesNotComeWith408) {
  Settings settings;
  settings.limits.receive_timeout = milliseconds(100);
  Site site(settings);
  for (const std::string target : {"/echo", "/count"}) {
    HttpSocket client = site.connect();
    client.send(request("PUT", target, "Content-Length: 50\r\n\r\nhalf"));
    EXPECT_EQ(client.read_reply().status, 408);
    EXPECT_TRUE(client.is_closed_by_server());
  }
}

TEST(HttpServer, GivesUpOnAReaderThatDoesNotRead) {
  Settings settings;
  settings.limits.send_timeout = milliseconds(100);
  Site site(settings);
  HttpSocket client = site.connect();
  client.send(request("GET", "/stream/1000000000", "\r\n"));
  const auto completions = site.toy.wait_for_completed(1);
  EXPECT_TRUE(completions[0].aborted);
  EXPECT_EQ(completions[0].status, 200);
}

TEST(HttpServer, HoldsNoWorkerForATricklingUpload) {
  Settings settings;
  settings.workers = {1, 16};
  Site site(settings);
  std::vector<HttpSocket> tricklers;
  for (int i = 0; i < 50; ++i) {
    tricklers.push_back(site.connect());
    tricklers.back().send(request("PUT", "/count", "Content-Length: 1000000\r\n\r\nx"));
    site.toy.wait_for_begun(i + 1);
  }
  HttpSocket fast = site.connect();
  for (int round = 0; round < 3; ++round) {
    for (HttpSocket& trickler : tricklers) trickler.send("x");
    EXPECT_EQ(fast.get("/stream/5").status, 200);
  }
  EXPECT_EQ(site.toy.bytes_consumed, 0u);
}

TEST(HttpServer, AnswersWith503WhenTheQueueIsFull) {
  Settings settings;
  settings.workers = {1, 2};
  Site site(settings);
  std::vector<HttpSocket> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(site.connect());
    waiting.back().send(request("GET", "/gate", "\r\n"));
    if (i == 0) site.toy.wait_for_at_gate(1);
  }
  while (site.workers.waiting() < 2) std::this_thread::yield();

  HttpSocket refused = site.connect();
  const HttpReply reply = refused.get("/stream/5");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.field("Retry-After"), "1");
  EXPECT_EQ(refused.get("/memory").status, 200);

  site.toy.open_gate();
  for (HttpSocket& client : waiting) EXPECT_EQ(client.read_reply().body, "passed");
  EXPECT_EQ(refused.get("/stream/5").status, 200);
}

TEST(HttpServer, TurnsConnectionsOverTheLimitAway) {
  Settings settings;
  settings.limits.connections_max = 3;
  settings.limits.turned_away_max = 1;
  Site site(settings);
  std::vector<HttpSocket> served;
  for (int i = 0; i < 3; ++i) {
    served.push_back(site.connect());
    EXPECT_EQ(served.back().get("/memory").status, 200);
  }
  {
    HttpSocket fourth = site.connect();
    const HttpReply reply = fourth.read_reply();
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.field("Retry-After"), "1");
    HttpSocket fifth = site.connect();
    EXPECT_TRUE(fifth.is_closed_by_server());
  }
  served.pop_back();
  wait_for_connections(site.server, 2);
  EXPECT_EQ(site.connect().get("/memory").status, 200);
}

TEST(HttpServer, ReadsNoFurtherAheadThanASlowReaderTakes) {
  Site site;
  HttpSocket client = site.connect();
  constexpr std::uint64_t kSize = 1'000'000'000;
  client.send(request("GET", "/stream/" + std::to_string(kSize), "\r\n"));
  client.read(1'000'000);

  // What the two sockets and the two buffers may hold.
  std::uint64_t before = 1;
  while (site.toy.bytes_read != before) {
    before = site.toy.bytes_read;
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_LT(site.toy.bytes_read, 40'000'000u);
}

TEST(HttpServer, BoundsTheMemoryOfBodiesInFlight) {
  Settings settings;
  settings.limits.body_memory_bytes_max = 64 << 10;
  Site site(settings);
  HttpSocket first = site.connect();
  first.send(request("POST", "/echo", "Content-Length: 60000\r\n\r\n" + toy_bytes(40'000)));
  HttpSocket second = site.connect();
  second.send(with_length("PUT", "/count", toy_bytes(3'000'000)));
  EXPECT_EQ(second.read_reply().body, "3000000");
  EXPECT_TRUE(second.get("/stream/1000000").body == toy_bytes(1'000'000));

  HttpSocket third = site.connect();
  third.send(with_length("POST", "/echo", toy_bytes(90'000)));
  const HttpReply reply = third.read_reply();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.field("Retry-After"), "1");
}

TEST(HttpServer, TakesDocumentsWhileStalledDownloadsHoldBuffers) {
  Settings settings;
  settings.limits.body_memory_bytes_max = 1 << 20;
  Site site(settings);
  std::vector<HttpSocket> stalled;
  for (int i = 0; i < 10; ++i) {
    stalled.push_back(site.connect());
    stalled.back().send(request("GET", "/stream/100000000", "\r\n"));
    stalled.back().read(1);
  }
  HttpSocket client = site.connect();
  client.send(with_length("POST", "/echo", toy_bytes(90'000)));
  EXPECT_EQ(client.read_reply().body, toy_bytes(90'000));
}

TEST(HttpServer, AnswersAFailedFirstReadWithAProblem) {
  Site site;
  HttpSocket client = site.connect();
  EXPECT_EQ(client.get("/broken/0").status, 500);
  const HttpReply away = client.get("/away");
  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(away.field("Retry-After"), "1");
  EXPECT_EQ(client.get("/memory").status, 200);
}

TEST(HttpServer, CutsTheConnectionWhenALaterReadFails) {
  Site site;
  HttpSocket client = site.connect();
  const HttpReply reply = client.get("/broken/600000");
  EXPECT_EQ(reply.status, 200);
  EXPECT_FALSE(reply.is_whole);
  EXPECT_LT(reply.body.size(), 600'000u);
  const auto completions = site.toy.wait_for_completed(1);
  EXPECT_TRUE(completions[0].aborted);
}

TEST(HttpServer, TellsTheApplicationWhatBecameOfARequest) {
  Site site;
  HttpSocket client = site.connect();
  client.send(with_length("POST", "/echo?a=b", "12345"));
  client.read_reply();
  client.send(with_length("POST", "/echo", "12345"));
  const HttpReply reply = client.read_reply();
  // The application is told after the reply has left, so a later request could come first.
  site.toy.wait_for_completed(2);
  {
    HttpSocket gone = site.connect();
    gone.send(request("POST", "/echo", "Content-Length: 100\r\n\r\nhalf"));
    site.toy.wait_for_begun(3);
  }
  const auto completions = site.toy.wait_for_completed(3);
  EXPECT_EQ(completions[1].status, 200);
  EXPECT_EQ(completions[1].bytes_in, 5u);
  EXPECT_EQ(completions[1].bytes_out, 5u);
  EXPECT_FALSE(completions[1].aborted);
  EXPECT_EQ(completions[2].status, 499);
  EXPECT_TRUE(completions[2].aborted);

  const auto heads = site.toy.heads();
  EXPECT_EQ(heads[0].target, "/echo?a=b");
  EXPECT_EQ(heads[1].method, "POST");
  EXPECT_EQ(heads[1].id, reply.field("X-Request-Id"));
  EXPECT_EQ(heads[1].headers.find("host"), "test");
  EXPECT_EQ(heads[1].content_length, 5u);
  EXPECT_THAT(heads[1].peer, HasSubstr("127.0.0.1:"));
}

TEST(HttpServer, LetsRunningRequestsEndWhenItStops) {
  Site site;
  HttpSocket idle = site.connect();
  idle.get("/memory");
  HttpSocket running = site.connect();
  running.send(request("GET", "/gate", "\r\n"));
  site.toy.wait_for_at_gate(1);

  auto stopped = std::async([&] { site.server.stop(std::chrono::seconds(20)); });
  EXPECT_TRUE(idle.is_closed_by_server());
  wait_until_it_refuses(site);
  site.toy.open_gate();
  const HttpReply reply = running.read_reply();
  EXPECT_EQ(reply.body, "passed");
  EXPECT_EQ(reply.field("Connection"), "close");
  running.end_sending();
  stopped.get();
}

TEST(HttpServer, HoldsRequestsThatWaitWithoutAWorker) {
  Site site(Settings{.workers = {1, 4}, .limits = {}});
  std::vector<HttpSocket> waiting;
  for (int i = 0; i < 200; ++i) {
    waiting.push_back(site.connect());
    waiting.back().send(request("GET", "/wait/60000", "\r\n"));
    site.toy.wait_for_waiting(i + 1);
  }
  HttpSocket other = site.connect();
  EXPECT_EQ(other.get("/stream/9").body, toy_bytes(9));

  site.toy.open_gate();
  for (HttpSocket& client : waiting) {
    EXPECT_EQ(client.read_reply().body, "passed");
    EXPECT_EQ(client.get("/memory").body, "hello");
  }
  site.toy.wait_for_waiting(0);
}

TEST(HttpServer, AnswersARequestThatWaitedInVain) {
  Site site;
  HttpSocket client = site.connect();
  client.send(request("GET", "/wait/1", "\r\n"));
  EXPECT_EQ(client.read_reply_without_body().status, 204);
  client.send(request("GET", "/wait/0", "\r\n") + request("GET", "/memory", "\r\n"));
  EXPECT_EQ(client.read_reply_without_body().status, 204);
  EXPECT_EQ(client.read_reply().body, "hello");
}

TEST(HttpServer, WaitsOnWhenItIsWokenForNothing) {
  Site site;
  HttpSocket client = site.connect();
  client.send(request("GET", "/wait/60000", "\r\n"));
  for (int i = 0; i < 3; ++i) {
    site.toy.wait_for_waiting(1);
    site.toy.wake_all();
  }
  site.toy.wait_for_waiting(1);
  site.toy.open_gate();
  EXPECT_EQ(client.read_reply().body, "passed");
}

TEST(HttpServer, AsksNothingForAClientThatWentWhileItWaited) {
  Site site;
  {
    HttpSocket client = site.connect();
    client.send(request("GET", "/wait/60000", "\r\n"));
    site.toy.wait_for_waiting(1);
  }
  while (site.toy.passed_on() == 0) {
    site.toy.wake_all();
    if (site.toy.wait_for_completed(0).size() == 1) break;
    std::this_thread::yield();
  }
  site.toy.wait_for_waiting(0);
  EXPECT_EQ(site.toy.passed_on(), 1);
  EXPECT_TRUE(site.toy.wait_for_completed(1).front().aborted);
}

TEST(HttpServer, AnswersThoseWhoWaitWhenItStops) {
  Site site;
  HttpSocket client = site.connect();
  client.send(request("GET", "/wait/600000", "\r\n"));
  site.toy.wait_for_waiting(1);
  auto stopped = std::async([&] { site.server.stop(std::chrono::seconds(20)); });
  EXPECT_EQ(client.read_reply_without_body().status, 204);
  client.end_sending();
  stopped.get();
}

TEST(HttpServer, CancelsWhatDoesNotEndWithinTheLimit) {
  Site site;
  HttpSocket download = site.connect();
  download.send(request("GET", "/stream/1000000000", "\r\n"));
  download.read(1000);
  HttpSocket upload = site.connect();
  upload.send(request("PUT", "/count", "Content-Length: 1000000\r\n\r\nx"));
  site.toy.wait_for_begun(2);

  site.server.stop(milliseconds(100));
  EXPECT_EQ(site.server.connection_count(), 0u);
  EXPECT_EQ(site.toy.wait_for_completed(2).size(), 2u);
}

TEST(HttpServer, StaysResponsiveBesideAThousandIdleConnections) {
  Site site;
  std::vector<HttpSocket> idle;
  for (int i = 0; i < 1000; ++i) idle.push_back(site.connect());
  for (int i = 0; i < 1000; i += 2) idle[i].send("GET /mem");
  wait_for_connections(site.server, 1000);
  HttpSocket client = site.connect();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.get("/stream/100").status, 200);
  for (int i = 0; i < 1000; i += 2) {
    idle[i].send("ory HTTP/1.1\r\nHost: test\r\n\r\n");
    EXPECT_EQ(idle[i].read_reply().body, "hello");
  }
}

TEST(HttpServer, DoesNotShareItsPortWithAnotherServer) {
  Site site;
  ToyApplication toy;
  Server second({"127.0.0.1", site.server.port(), std::nullopt, 1, {}}, toy, site.workers);
  try {
    second.start();
    FAIL() << "listens on a port that is taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("127.0.0.1"));
  }
}

TEST(HttpServer, ServesManyClientsAtOnce) {
  Settings settings;
  settings.workers = {3, 64};
  Site site(settings);
  std::vector<std::jthread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&site, c] {
      HttpSocket client = site.connect();
      for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(client.get("/memory").body, "hello");
        const std::string body = toy_bytes(1000 * c + i);
        client.send(with_length("POST", "/echo", body));
        EXPECT_TRUE(client.read_reply().body == body);
        client.send(with_length("PUT", "/count", toy_bytes(400'000)));
        EXPECT_EQ(client.read_reply().body, "400000");
        EXPECT_EQ(client.get("/chunked/600000").body.size(), 600'000u);
      }
    });
  }
}

}  // namespace

}  // namespace mendel::registry::http
