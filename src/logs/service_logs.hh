// The log of a service, for any door.
#pragma once

#include <memory>

#include "logs/app_logs.hh"
#include "operate/services.hh"

namespace pushrod {

// For one thread. `query.process` is not used.
class ServiceLogs {
 public:
  // Needs the right to see the service.
  ServiceLogs(Session& session, const ServiceName& name, const LogQuery& query);
  // What was written so far.
  void read(const LogReceiver& receiver);
  // What is written from then on, until a stop signal or the end of the service.
  void follow(const LogReceiver& receiver);

 private:
  std::vector<LogChunk> read_on();

  Session& session_;
  BackingService service_;
  LogQuery query_;
  LogFilter filter_;
  std::unique_ptr<LogStream> stream_;
};

}  // namespace pushrod
