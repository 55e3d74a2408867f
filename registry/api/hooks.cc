#include "registry/api/hooks.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "registry/api/json.h"
#include "registry/services/egress/hooks.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

namespace {

using nlohmann::json;

std::string url_of(const Hook& hook) {
  return fmt::format("/api/v1/hooks/{}/{}", to_string(hook.kind), hook.id);
}

json to_json(const Hook& hook) {
  return {{"id", hook.id},
          {"namespace", hook.ns},
          {"kind", to_string(hook.kind)},
          {"repository", hook.repository},
          {"url", url_of(hook)},
          {"created_at", format_rfc3339(hook.created_at)},
          {"created_by", hook.created_by}};
}

json to_json(const schema::DeliveryRow& delivery) {
  json document{{"received_at", format_rfc3339(delivery.received_at)},
                {delivery.event_id ? "ref" : "ignored", delivery.remark}};
  if (delivery.delivery) document["delivery"] = *delivery.delivery;
  if (delivery.event_id) document["event"] = *delivery.event_id;
  return document;
}

HookKind get_kind(const std::string& text) {
  if (const auto kind = parse_hook_kind(text)) return *kind;
  throw Error(ErrorCode::invalid_argument,
              "must be 'gitlab', 'github', 'gitea' or 'generic'");
}

json to_json(const HookService::Received& received) {
  if (const auto* event = std::get_if<HookService::Event>(&received))
    return {{"event", event->id}};
  if (const auto* other = std::get_if<NoPush>(&received)) return {{"ignored", other->why}};
  return {{"duplicate", true}};
}

// Whoever sends to a hook that does not exist learns no more than who signs wrongly, and
// makes us keep nothing.
class Delivery : public BodyConsumer {
 public:
  Delivery(const Request& request, HookService& hooks)
      : request_(request),
        hooks_(hooks),
        receiver_(hooks.receiver(request.path("sender"), request.path("id"))) {}

  void consume(std::span<const std::byte> data) override {
    size_bytes_ += data.size();
    if (size_bytes_ > receiver_.body_size_max()) {
      throw Error(ErrorCode::too_large, fmt::format("a delivery has at most {} bytes",
                                                    receiver_.body_size_max()));
    }
    if (receiver_.exists()) body_.append(as_text(data));
  }

  Response finish() override {
    const auto received = hooks_.receive(
        receiver_, [this](std::string_view name) { return request_.header(name); }, body_);
    return json_response(202, to_json(received));
  }

 private:
  const Request& request_;
  HookService& hooks_;
  const HookService::Receiver receiver_;
  std::size_t size_bytes_ = 0;
  std::string body_;
};

}  // namespace

// POST /api/v1/hooks
Response create_hook(const Request& request, Services& services) {
  ObjectReader body(request.json());
  const auto ns = body.parsed(
      "namespace", [](const auto& text) { return Name::parse("a namespace", text); });
  const auto kind = body.parsed("kind", get_kind);
  const std::string repository = body.required_string("repository");
  const auto secret = body.optional_string("secret");
  if (!body.has("namespace")) body.problem("namespace", "must be there");
  if (!body.has("kind")) body.problem("kind", "must be there");
  body.finish();

  const auto made = services.hooks.create(
      request.caller(),
      {.ns = *ns, .kind = *kind, .repository = repository, .secret = secret});

  json answer = to_json(made.hook);
  answer["secret"] = made.secret;
  Response response = json_response(201, answer);
  response.headers.set("Location", "/api/v1/hooks/" + made.hook.id);
  response.headers.set("Cache-Control", "no-store");
  return response;
}

// GET /api/v1/hooks
Response list_hooks(const Request& request, Services& services) {
  const auto ns = request.query("namespace");
  if (!ns) throw Error(ErrorCode::invalid_argument, "namespace must say whose hooks");

  const auto page = services.hooks.list(request.caller(), Name::parse("a namespace", *ns),
                                        {request.limit(), request.after()});

  auto items = json::array();
  for (const Hook& hook : page.items) items.push_back(to_json(hook));
  return list_response(std::move(items), page.next);
}

// GET /api/v1/hooks/{id}
Response get_hook(const Request& request, Services& services) {
  const auto details = services.hooks.get(request.caller(), request.path("id"));

  json answer = to_json(details.hook);
  answer["deliveries"] = json::array();
  for (const auto& delivery : details.deliveries)
    answer["deliveries"].push_back(to_json(delivery));
  return json_response(200, answer);
}

// DELETE /api/v1/hooks/{id}
Response delete_hook(const Request& request, Services& services) {
  services.hooks.remove(request.caller(), request.path("id"));

  return no_content();
}

// POST /api/v1/hooks/{sender}/{id}
std::unique_ptr<BodyConsumer> receive_delivery(const Request& request, Services& services) {
  return std::make_unique<Delivery>(request, services.hooks);
}

}  // namespace mendel::registry::api
