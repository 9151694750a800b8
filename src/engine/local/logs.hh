// The logs of this machine: a directory for each instance, and one for the router.
#pragma once

#include <filesystem>
#include <functional>
#include <map>

#include "engine/logs.hh"
#include "supervise/log_reader.hh"

namespace pushrod {

class LocalLogs : public LogStream {
 public:
  struct Source {
    std::string name;
    std::filesystem::path directory;
  };
  struct Places {
    std::filesystem::path app;  // the directory of the app's logs
    std::function<std::vector<Source>()> sources;
    std::size_t longest_record = 0;  // of the logger
    // Completes an entry from its text; false: it is not of this app.
    std::function<bool(LogEntry&)> complete = [](LogEntry&) { return true; };
  };
  explicit LocalLogs(Places places) : places_(std::move(places)) {}

  std::vector<std::string> sources() const override;
  std::vector<LogChunk> read_on(std::optional<WallTime> since, const Wants& wants) override;
  void watch(LogWatch& watch) override;
  bool exists() const override;

 private:
  void take(std::string_view lines, const Wants& wants, LogChunk& chunk) const;

  Places places_;
  bool is_watched_ = false;
  std::map<std::filesystem::path, LogReader> readers_;  // each keeps a file open
};

}  // namespace pushrod
