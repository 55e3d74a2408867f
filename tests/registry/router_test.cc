#include "registry/api/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "registry/api/json.h"
#include "storage/base/error.h"
#include "tests/testing/whole_registry.h"

namespace mendel::registry::api {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

Response text_response(std::string text) {
  Response response;
  response.body = std::move(text);
  return response;
}

Response say_name(const Request& request, Services&) {
  return text_response(std::string(request.path("name")));
}

Response say_path(const Request& request, Services&) {
  return text_response(std::string(request.path("name")) + ": " +
                       std::string(request.path("path")));
}

Response say_kind(const Request& request, Services&) {
  return text_response(std::string(request.path("kind")));
}

Response say_query(const Request& request, Services&) {
  return text_response(std::string(request.query("q").value_or("none")));
}

Response say_body(const Request& request, Services&) {
  return text_response(request.body());
}

Response say_tagged(const Request& request, Services&) {
  return with_etag(request, json_response(200, "tagged"));
}

std::optional<Response> remember(const Request& request, Services&) {
  if (request.query("q")) return std::nullopt;
  return text_response("remembered");
}

Response refuse(const Request&, Services&) {
  throw Error(ErrorCode::already_exists, "it is there already");
}

Response refuse_fields(const Request&, Services&) {
  throw Error(ErrorCode::invalid_argument, "the document breaks two rules",
              {{"/files/3/digest", "is no digest"}, {"/reason", "is required"}});
}

Response lose_data(const Request&, Services&) {
  throw Error(ErrorCode::data_loss, "object 4711 is damaged", {{"/object", "4711"}});
}

Response fail_unexpectedly(const Request&, Services&) {
  throw std::runtime_error("the password is 4711");
}

struct TouchyConsumer : BodyConsumer {
  void consume(std::span<const std::byte> data) override {
    if (data.size() > 3) throw Error(ErrorCode::unprocessable, "these bytes are damaged");
    size += data.size();
  }
  Response finish() override { return text_response(std::to_string(size)); }

  std::size_t size = 0;
};

std::unique_ptr<BodyConsumer> take_bytes(const Request& request, Services&) {
  if (request.path("name") == "forbidden") {
    throw Error(ErrorCode::invalid_argument, "not under this name");
  }
  return std::make_unique<TouchyConsumer>();
}

using enum Policy;
constexpr BodyLimit kNone = BodyLimit::none;

constexpr Route kToyRoutes[] = {
    {"GET",
     "/things",
     open,
     kNone,
     "q limit",
     {.answer = say_query, .from_memory = remember}},
    {"POST", "/things", open, BodyLimit::small, "", {.answer = say_body}},
    {"GET", "/things/{name}", open, kNone, "", {.answer = say_name}},
    {"PUT", "/things/{name}", open, BodyLimit::stream, "", {.upload = take_bytes}},
    {"GET", "/things/{name}/files/{path...}", open, kNone, "", {.answer = say_path}},
    {"HEAD", "/heads/{name}", open, kNone, "", {.answer = say_name}},
    {"PATCH", "/things/special", open, BodyLimit::small, "", {.answer = say_tagged}},
    {"GET", "/of/{kind}", open, kNone, "", {.answer = say_kind}},
    {"GET", "/tagged", open, kNone, "", {.answer = say_tagged}},
    {"PATCH", "/tagged", open, BodyLimit::small, "", {.answer = say_tagged}},
    {"GET", "/mine", authenticated, kNone, "", {.answer = say_body}},
    {"GET", "/fails/refused", open, kNone, "", {.answer = refuse}},
    {"GET", "/fails/fields", open, kNone, "", {.answer = refuse_fields}},
    {"GET", "/fails/lost", open, kNone, "", {.answer = lose_data}},
    {"GET", "/fails/unexpectedly", open, kNone, "", {.answer = fail_unexpectedly}},
};

std::string_view text_of(const Response& response) {
  return std::get<std::string>(response.body);
}

json problem_of(const Response& response) {
  EXPECT_EQ(response.headers.find("Content-Type"), "application/problem+json");
  return json::parse(text_of(response));
}

// No service is asked anything here, so there need not be a database.
class RouterTest : public ::testing::Test {
 protected:
  static RequestHead head_of(std::string method, std::string target) {
    RequestHead head;
    head.id = "request-1";
    head.method = std::move(method);
    head.target = std::move(target);
    return head;
  }

  Response answer(const RequestHead& head, std::string body = "") {
    const auto exchange = router.open(head);
    if (auto refusal = exchange->begin()) return *std::move(refusal);
    return exchange->answer(std::move(body));
  }
  std::optional<Response> answer_from_memory(const RequestHead& head) {
    return router.open(head)->answer_from_memory();
  }
  Response get(std::string target) { return answer(head_of("GET", std::move(target))); }

  schema::Database nowhere{"postgresql://nowhere.invalid", 1};
  testing::WholeRegistry registry{nowhere};
  Metrics metrics;
  Router router{kToyRoutes, registry.services, metrics};
};

TEST_F(RouterTest, NamesThePartsOfAPath) { EXPECT_EQ(text_of(get("/things/a")), "a"); }

TEST_F(RouterTest, DecodesEachPartForItself) {
  EXPECT_EQ(text_of(get("/things/a%20b")), "a b");
  EXPECT_EQ(text_of(get("/things/a%2Fb")), "a/b");
  EXPECT_EQ(text_of(get("/things/a+b")), "a+b");
}

TEST_F(RouterTest, RefusesBrokenPercentEncoding) {
  for (const char* target : {"/things/%", "/things/%2", "/things/%zz", "/things/%ff",
                             "/things/a%00b", "/things?q=%"}) {
    EXPECT_EQ(get(target).status, 400) << target;
  }
}

TEST_F(RouterTest, KeepsTheSlashesOfARest) {
  EXPECT_EQ(text_of(get("/things/a/files/b/c%20d/e")), "a: b/c d/e");
  EXPECT_EQ(text_of(get("/things/a/files/b")), "a: b");
}

TEST_F(RouterTest, FindsNothingElsewhere) {
  for (const char* target : {"/", "/thing", "/things/", "/things/a/b", "/things/a/files",
                             "//things", "/of/shoes"}) {
    const Response response = get(target);
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_EQ(problem_of(response)["type"], "/problems/not-found");
  }
}

TEST_F(RouterTest, KnowsTheThreeKinds) {
  for (const char* kind : {"models", "datasets", "environments"}) {
    EXPECT_EQ(text_of(get("/of/" + std::string(kind))), kind);
  }
}

TEST_F(RouterTest, SaysWhichMethodsThereAre) {
  const Response response = answer(head_of("DELETE", "/things/a"));
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.find("Allow"), "GET, HEAD, PUT");
  EXPECT_EQ(problem_of(response)["type"], "/problems/method-not-allowed");

  EXPECT_EQ(answer(head_of("GET", "/heads/a")).headers.find("Allow"), "HEAD");
}

TEST_F(RouterTest, APathThatIsSpelledOutIsNoThingOfThatName) {
  const Response response = answer(head_of("GET", "/things/special"));
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.find("Allow"), "PATCH");
}

TEST_F(RouterTest, AnswersHeadAsGet) {
  EXPECT_EQ(text_of(answer(head_of("HEAD", "/things/a"))), "a");
  EXPECT_EQ(text_of(answer(head_of("HEAD", "/heads/a"))), "a");
  EXPECT_EQ(answer(head_of("HEAD", "/nothing")).status, 404);
}

TEST_F(RouterTest, RefusesUnknownQueryParametersByName) {
  EXPECT_EQ(text_of(get("/things?q=a+b%2B")), "a b+");
  EXPECT_EQ(text_of(get("/things?")), "none");

  const Response response = get("/things?q=a&color=red");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(problem_of(response)["detail"], HasSubstr("'color'"));
  EXPECT_EQ(get("/things/a?q=b").status, 400);
}

TEST_F(RouterTest, HandsTheBodyOver) {
  const RequestHead head = head_of("POST", "/things");
  const auto exchange = router.open(head);
  ASSERT_FALSE(exchange->begin());
  EXPECT_EQ(exchange->body(), Exchange::Body::whole);
  EXPECT_EQ(exchange->body_size_max(), 1u << 20);
  EXPECT_EQ(text_of(exchange->answer("hello")), "hello");
}

TEST_F(RouterTest, AsksForNoBodyWhereTheRouteTakesNone) {
  const RequestHead head = head_of("GET", "/things");
  const auto exchange = router.open(head);
  ASSERT_FALSE(exchange->begin());
  EXPECT_EQ(exchange->body(), Exchange::Body::none);
}

TEST_F(RouterTest, StreamsABodyIntoItsConsumer) {
  const RequestHead head = head_of("PUT", "/things/a");
  const auto exchange = router.open(head);
  ASSERT_FALSE(exchange->begin());
  EXPECT_EQ(exchange->body(), Exchange::Body::stream);
  const std::array<std::byte, 3> bytes{};
  EXPECT_FALSE(exchange->consume(bytes));
  EXPECT_FALSE(exchange->consume(bytes));
  EXPECT_EQ(text_of(exchange->answer("")), "6");
}

TEST_F(RouterTest, EndsAnUploadAtTheFirstFault) {
  const RequestHead head = head_of("PUT", "/things/a");
  const auto exchange = router.open(head);
  ASSERT_FALSE(exchange->begin());
  const auto refusal = exchange->consume(std::array<std::byte, 4>{});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 422);
}

TEST_F(RouterTest, RefusesAnUploadBeforeItsBody) {
  const RequestHead head = head_of("PUT", "/things/forbidden");
  const auto refusal = router.open(head)->begin();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 400);
}

TEST_F(RouterTest, AsksForATokenWhereOneIsNeeded) {
  const Response response = get("/mine");
  EXPECT_EQ(response.status, 401);
  EXPECT_THAT(std::string(*response.headers.find("WWW-Authenticate")), HasSubstr("Bearer"));
}

TEST_F(RouterTest, RefusesWhatIsNoToken) {
  for (const char* authorization :
       {"", "Bearer", "Bearer x", "Digest x", "Basic !", "Basic eA=="}) {
    for (const char* target : {"/mine", "/things/a"}) {
      RequestHead head = head_of("GET", target);
      head.headers.set("Authorization", authorization);
      EXPECT_EQ(answer(head).status, 401) << authorization << " " << target;
    }
  }
}

TEST_F(RouterTest, AnswersFromMemoryWhatCanBe) {
  const auto response = answer_from_memory(head_of("GET", "/things"));
  ASSERT_TRUE(response);
  EXPECT_EQ(text_of(*response), "remembered");
  EXPECT_TRUE(answer_from_memory(head_of("HEAD", "/things")));
}

TEST_F(RouterTest, LeavesTheRestToAWorker) {
  for (const char* target : {"/things?q=a", "/things?color=red", "/things/a", "/mine",
                             "/nothing", "/things/%"}) {
    EXPECT_FALSE(answer_from_memory(head_of("GET", target))) << target;
  }
  EXPECT_FALSE(answer_from_memory(head_of("POST", "/things")));
  RequestHead with_body = head_of("GET", "/things");
  with_body.has_body = true;
  EXPECT_FALSE(answer_from_memory(with_body));
  RequestHead with_token = head_of("GET", "/things");
  with_token.headers.set("Authorization", "Bearer x");
  EXPECT_FALSE(answer_from_memory(with_token));
}

TEST_F(RouterTest, AnswersNotModifiedToReadersAlone) {
  for (const char* method : {"GET", "HEAD", "PATCH"}) {
    RequestHead head = head_of(method, "/tagged");
    EXPECT_EQ(answer(head).status, 200);
    head.headers.set("If-None-Match", "*");
    EXPECT_EQ(answer(head).status, head.method == "PATCH" ? 200 : 304) << method;
  }
}

TEST_F(RouterTest, TurnsAnErrorIntoAProblem) {
  const Response response = get("/fails/refused");
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(problem_of(response), json({{"type", "/problems/already-exists"},
                                        {"title", "Already exists"},
                                        {"status", 409},
                                        {"detail", "it is there already"},
                                        {"instance", "urn:request:request-1"}}));
}

TEST_F(RouterTest, LocatesTheRulesThatADocumentBreaks) {
  EXPECT_EQ(problem_of(get("/fails/fields"))["errors"],
            json::array({{{"pointer", "/files/3/digest"}, {"detail", "is no digest"}},
                         {{"pointer", "/reason"}, {"detail", "is required"}}}));
}

TEST_F(RouterTest, TellsNothingOfItsOwnFailures) {
  for (const char* target : {"/fails/lost", "/fails/unexpectedly"}) {
    const Response response = get(target);
    EXPECT_EQ(response.status, 500);
    const json problem = problem_of(response);
    EXPECT_EQ(problem["detail"], "The server could not complete the request.");
    EXPECT_EQ(problem["instance"], "urn:request:request-1");
    EXPECT_FALSE(problem.contains("errors"));
    EXPECT_THAT(std::string(text_of(response)), Not(HasSubstr("4711")));
  }
}

TEST_F(RouterTest, DescribesWhatTheServerRefuses) {
  const RequestHead head = head_of("GET", "/things");
  const Response response =
      router.open(head)->refuse(431, "the request's head is too large");
  EXPECT_EQ(response.status, 431);
  const json problem = problem_of(response);
  EXPECT_EQ(problem["type"], "/problems/header-too-large");
  EXPECT_EQ(problem["detail"], "the request's head is too large");
}

TEST_F(RouterTest, CountsByPatternAndNotByName) {
  const RequestHead found = head_of("GET", "/things/secret-name");
  const RequestHead lost = head_of("BREW", "/nothing/secret-name");
  router.open(found)->completed({.status = 200});
  router.open(lost)->completed({.status = 404});
  EXPECT_THAT(metrics.text(), HasSubstr("/things/{name}"));
  EXPECT_THAT(metrics.text(), HasSubstr("other"));
  EXPECT_THAT(metrics.text(), Not(HasSubstr("secret-name")));
  EXPECT_THAT(metrics.text(), Not(HasSubstr("BREW")));
}

TEST_F(RouterTest, DoesNotStartWithRowsThatMakeNoSense) {
  const auto starts_with = [&](std::vector<Route> table) {
    try {
      Router started(table, registry.services, metrics);
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::internal);
      return false;
    }
  };
  const Route sound{"GET", "/things", open, kNone, "", {.answer = say_name}};
  const Route other_method{"POST", "/things", open, kNone, "", {.answer = say_name}};
  const Route without_handler{"GET", "/a", open, kNone, "", {}};
  const Route with_two{
      "GET", "/a", open, BodyLimit::stream, "", {.answer = say_name, .upload = take_bytes}};
  const Route unread_stream{"PUT", "/a", open, BodyLimit::stream, "", {.answer = say_name}};
  const Route bodiless_upload{"PUT", "/a", open, kNone, "", {.upload = take_bytes}};
  const Route of_no_namespace{"GET", "/a/{name}", ns_reader,
                              kNone, "",          {.answer = say_name}};

  EXPECT_TRUE(starts_with({sound, other_method}));
  EXPECT_FALSE(starts_with({sound, sound}));
  for (const Route& route :
       {without_handler, with_two, unread_stream, bodiless_upload, of_no_namespace}) {
    EXPECT_FALSE(starts_with({route})) << route.pattern;
  }
}

}  // namespace
}  // namespace mendel::registry::api
