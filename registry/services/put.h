#pragma once

#include <functional>

namespace mendel::registry {

// What a PUT left behind.
enum class Outcome { created, updated };

template <class Item>
struct Put {
  Item item;
  Outcome outcome = Outcome::updated;
};

// Looks at what is there now (nullptr: nothing) inside the transaction that is to change
// it, and throws failed_precondition to leave it alone. Looks, and does nothing else.
template <class Item>
using Precondition = std::function<void(const Item* current)>;

}  // namespace mendel::registry
