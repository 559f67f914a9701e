// What a server is started with; settings.h says how the values are read.
#pragma once

#include <cstdint>
#include <string>

#include "base/log.h"
#include "types/limits.h"

namespace vettore {

// The initialisers are the defaults of the settings table, which holds their ranges and their help.
struct ServerOptions {
  std::string listen = "127.0.0.1:6320";
  bool insecure_remote = false;
  std::string data_dir = "vettore-data";
  bool accept_data_loss = false;
  std::string models_dir = "~/.local/share/vettore/models";
  uint64_t threads = 0;        // 0: one a CPU.
  uint64_t write_threads = 0;  // 0: one a CPU, at least 4.
  uint64_t max_message_bytes = limits::kMessageBytes;
  uint64_t block_cache_bytes = 256 << 20;
  uint64_t index_memory_bytes = 0;  // 0: a quarter of the machine's memory.
  uint64_t queue_requests = 1'000;
  uint64_t queue_bytes = 512 << 20;
  uint64_t stream_credits = 4;
  uint64_t slow_request_ms = 1'000;
  uint64_t grace_seconds = 10;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;
};

}  // namespace vettore
