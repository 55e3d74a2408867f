#pragma once

// Asio's words as this folder uses them. Nothing outside this folder includes it.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace mendel::registry::http {

namespace net = boost::asio;
using SystemError = boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;
using Executor = net::io_context::executor_type;
using Socket = net::basic_stream_socket<net::ip::tcp, Executor>;
using Timer =
    net::basic_waitable_timer<SteadyClock, net::wait_traits<SteadyClock>, Executor>;
template <class T = void>
using Task = net::awaitable<T, Executor>;

// Completes an operation into the coroutine that awaits it, with its error in error.
inline auto await_with(SystemError& error) {
  return net::redirect_error(net::use_awaitable_t<Executor>(), error);
}

}  // namespace mendel::registry::http
