#pragma once

#include <string>
#include <variant>

#include "registry/api/json.h"
#include "registry/api/request.h"
#include "registry/services/put.h"
#include "storage/base/error.h"

namespace mendel::registry::api {

// The same entity tag that a GET of the item answers, whose document to_json makes.
template <class Item, class ToJson>
std::string entity_tag_of(const Item& item, ToJson to_json) {
  return entity_tag(std::get<std::string>(json_response(200, to_json(item)).body));
}

// What If-Match asks of the item that is about to change; nothing without it. The request
// must outlive it.
template <class Item, class ToJson>
Precondition<Item> if_match(const Request& request, ToJson to_json) {
  return [&request, to_json](const Item* current) {
    if (!request.has_if_match()) return;
    if (current == nullptr) {
      throw Error(ErrorCode::failed_precondition, "If-Match: there is nothing here yet");
    }
    request.require_match(entity_tag_of(*current, to_json));
  };
}

// The answer to a PUT: 201 where it made the item, 200 otherwise, with its entity tag.
template <class Item, class ToJson>
Response put_response(const Put<Item>& put, ToJson to_json) {
  const int status = put.outcome == Outcome::created ? 201 : 200;
  Response response = json_response(status, to_json(put.item));
  response.headers.set("ETag", entity_tag_of(put.item, to_json));
  return response;
}

}  // namespace mendel::registry::api
