#pragma once

#include "registry/http/asio.h"
#include "registry/http/loop.h"

namespace boost::asio::ssl {
class context;
}

namespace mendel::registry::http {

// Serves a connection from here to its end. tls is null for plain HTTP.
void start_session(Loop& loop, Socket socket, net::ssl::context* tls, Counted counted);

// Tells a connection over the limit so, and closes it.
void turn_away(Loop& loop, Socket socket, Counted counted);

}  // namespace mendel::registry::http
