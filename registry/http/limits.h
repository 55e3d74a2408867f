#pragma once

#include <chrono>
#include <cstddef>

namespace mendel::registry::http {

// Everything that the HTTP server bounds, and the answer of who goes over it. Each server
// has one of these; nothing else in this folder is a limit.
//
// What a connection costs, the kernel's socket buffers apart:
//   idle                10 KiB: 4 KiB input buffer, session and coroutine frames
//   idle, with TLS      about 60 KiB more: OpenSSL's state and Asio's record buffers
//   a request's head    up to 4 x head_size_bytes_max while it is read
//   a streamed body     two buffers of body_buffer_size_bytes while half of
//                       body_memory_bytes_max lasts for all connections together, of
//                       body_buffer_size_bytes_min after that
// so 2 000 idle connections take 20 MiB, and 1 000 uploads at once 32 MiB +
// 1 000 x (2 x 16 KiB + 10 KiB) = 73 MiB.
struct Limits {
  std::chrono::milliseconds handshake_timeout{10'000};  // TLS: close
  std::chrono::milliseconds head_timeout{10'000};     // from the first byte to the end: 408
  std::chrono::milliseconds idle_timeout{75'000};     // between two requests: close
  std::chrono::milliseconds receive_timeout{30'000};  // no byte of a body arrived: 408
  std::chrono::milliseconds send_timeout{30'000};     // the peer took no byte: close
  std::chrono::milliseconds linger_timeout{2'000};    // from the last answer to the close

  std::size_t head_size_bytes_max = 32 << 10;  // request line and fields: 431
  std::size_t head_fields_max = 100;           // 431
  std::size_t connections_max = 4096;          // over it 503 and close
  std::size_t turned_away_max = 64;            // being told so at once; over it close

  std::size_t body_buffer_size_bytes = 256 << 10;
  std::size_t body_buffer_size_bytes_min = 16 << 10;
  std::size_t body_memory_bytes_max = 64 << 20;  // whole bodies over it: 503

  // What the kernel takes of an answer beyond what the peer has room for. Without a bound
  // it takes megabytes: a peer that stalls holds them, and peers that share the machine
  // wait for each other.
  std::size_t unsent_bytes_max = 128 << 10;

  // What is read and dropped of a body that nobody wants, so that its sender sees the
  // answer and not a reset.
  std::size_t dropped_bytes_max = 1 << 20;
};

}  // namespace mendel::registry::http
