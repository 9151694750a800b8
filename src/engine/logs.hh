// Reading what the instances of an app and the ingress have written, where that is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "os/clock.hh"
#include "os/log_watch.hh"

namespace pushrod {

// A request, as the ingress logs it.
struct AccessRecord {
  unsigned status = 0;
  std::uint64_t bytes = 0;   // of the response, with its head
  Milliseconds duration{0};  // from the request's first byte to the answer's last one, waiting included
  std::string client;        // address
  std::string method, path;  // as the client sent them, with the query
};

struct LogEntry {
  WallTime time;
  std::string source;  // "web.1", "router"
  std::string text;
  std::optional<AccessRecord> access = {};  // of the ingress
  bool continued = false;                   // the logger has split the line: the next entry of this source goes on
};

// What one source has written since the last look.
struct LogChunk {
  std::string source;
  std::vector<LogEntry> entries{};      // oldest first
  bool is_partial = false;              // older lines are left out: there were too many, or they are gone
  std::optional<WallTime> read_from{};  // is_partial: the time of the oldest line that was read
};

// Logs from where the last look stopped. For one thread.
class LogStream {
 public:
  using Wants = std::function<bool(WallTime, const std::string& text)>;

  LogStream() = default;
  LogStream(const LogStream&) = delete;
  LogStream& operator=(const LogStream&) = delete;
  virtual ~LogStream() = default;

  // What writes, or has written what is kept: "web.1", "web.2", "worker.1".
  virtual std::vector<std::string> sources() const = 0;
  // What was written since the last call, as far as it is wanted; the first call reads all that is kept. Nothing from
  // before `since` is wanted.
  virtual std::vector<LogChunk> read_on(std::optional<WallTime> since, const Wants& wants) = 0;
  // Has the watch wake up when there may be more. To be called before each read_on(), because new instances write to
  // new places.
  virtual void watch(LogWatch& watch) = 0;
  // False when the app's logs are removed, as they are when the app is destroyed.
  virtual bool exists() const = 0;
};

}  // namespace pushrod
