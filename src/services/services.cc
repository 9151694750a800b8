// Services, from the row to the end.
#include "services/services.hh"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/error.hh"
#include "base/text.hh"
#include "model/words.hh"
#include "os/files.hh"
#include "os/trash.hh"
#include "services/disk_limits.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kHealthy{60'000};  // a database that was killed recovers first
constexpr Milliseconds kPause{15};        // nothing tells when a server begins to answer, or has ended
constexpr Milliseconds kAfterKill{10'000};

constexpr Words<ServiceCondition, 5> kConditions{"condition of a service",
                                                 {{{ServiceCondition::Running, "running"},
                                                   {ServiceCondition::Starting, "starting"},
                                                   {ServiceCondition::Crashing, "crashing"},
                                                   {ServiceCondition::Stopped, "stopped"},
                                                   {ServiceCondition::NotInstalled, "not installed"}}}};

[[noreturn]] void throw_unhealthy(const ServicePlatform& platform, const ServiceName& name, const std::string& why) {
  std::vector<std::string> lines;
  for (const auto& line : platform.engine.last_output(name)) lines.push_back(escaped(line, 200));
  if (lines.size() > 6) lines.erase(lines.begin(), lines.end() - 6);
  throw Error(fmt::format("service {} {}{}{}", name.str(), why, lines.empty() ? "" : ": ", join(lines, "; ")),
              fmt::format("its log has more: service logs {}", name.str()));
}

void await_answer(const Server& server) {
  const auto& [platform, service, installed, password] = server;
  const auto& type = type_of(service);
  const Deadline deadline(kHealthy);
  while (!type.answers(server)) {
    const auto status = platform.engine.inspect(service.name);
    if (status && status->restarts > 0) {
      throw_unhealthy(platform, service.name, "ended: " + describe_end(status->last_exit));
    }
    if (deadline.passed())
      throw_unhealthy(platform, service.name, "did not answer within " + format_duration(kHealthy));
    std::this_thread::sleep_for(kPause);
  }
}

bool is_gone(const ServicePlatform& platform, const ServiceName& name, const Deadline& deadline) {
  while (true) {
    const auto status = platform.engine.inspect(name);
    if (!status || (!status->up && platform.engine.remove(name))) return true;
    if (deadline.passed()) return false;
    std::this_thread::sleep_for(kPause);
  }
}

void end_at_once(const ServicePlatform& platform, const ServiceName& name) {
  platform.engine.kill(name);
  if (!is_gone(platform, name, Deadline(kAfterKill))) {
    throw Error(fmt::format("service {} does not end", name.str()), "the daemon tries again");
  }
}

void make_data(const Server& server, const std::function<void(const fs::path&)>& fill) {
  const auto& layout = server.platform.layout;
  const auto data = layout.service_data(server.service.name);
  if (is_directory(data)) throw Error("there is data already in " + data.native(), "move it away first");
  const auto fresh = layout.backing_service(server.service.name) / "data.new";
  remove_tree(fresh);
  make_directory(fresh);
  if (fill) {
    fill(fresh);
  } else {
    type_of(server.service).initialise(server, fresh);
  }
  flush_file_system(fresh);
  rename_path(fresh, data);
}

void discard_files(const ServicePlatform& platform, const ServiceName& name) {
  for (const auto& directory : {platform.layout.backing_service(name), platform.layout.backing_service_log(name)}) {
    if (is_directory(directory)) move_to_trash(platform.layout.trash(), directory);
  }
}

}  // namespace

std::string_view to_string(ServiceCondition condition) { return kConditions.word(condition); }

const ServiceType& type_of(const BackingService& service) { return require_service_type(service.type); }

Server server_of(const ServicePlatform& platform, const BackingService& service) {
  auto installed = require_server(type_of(service), service.version);
  return {platform, service, std::move(installed),
          platform.store.vault().open_service_password(service.name, service.sealed_password)};
}

ServicePlan plan_of(const Server& server) {
  auto plan = type_of(server.service).plan(server);
  if (server.service.cpu_percent != 0) plan.limits.cpu_percent = server.service.cpu_percent;
  return plan;
}

FileLock lock_service(const ServicePlatform& platform, const ServiceName& name, const std::string& why) {
  make_directory(platform.layout.locks());
  auto lock = FileLock::acquire(platform.layout.service_lock(name));
  lock.announce(why + " of service " + name.str());
  return lock;
}

void check_limits(const ServiceType& type, std::uint64_t memory, std::uint64_t disk) {
  const auto refuse = [&](std::uint64_t given, const char* what, std::uint64_t least) {
    throw UserError(fmt::format("{} of {} is too little for {}", format_bytes(given), what, type.description()),
                    fmt::format("give it at least {}", format_bytes(least)));
  };
  if (memory < type.least_memory()) refuse(memory, "memory", type.least_memory());
  if (disk != 0 && !type.keeps_data()) {
    throw UserError(fmt::format("{} keeps nothing on the disk, so there is nothing to limit", type.description()));
  }
  if (disk != 0 && disk < type.least_disk()) refuse(disk, "disk space", type.least_disk());
}

BackingService planned_service(const NewService& request) {
  const auto& type = require_service_type(request.type);
  const auto installed = require_server(type, request.version);
  const auto memory = request.memory.value_or(type.usual_memory());
  check_limits(type, memory, request.disk);
  return {.name = request.name,
          .type = std::string(type.name()),
          .version = installed.version,
          .memory = memory,
          .declared_by = request.declared_by,
          .group = request.group,
          .disk = request.disk,
          .cpu_percent = request.cpu_percent};
}

BackingService make_service(const ServicePlatform& platform, const NewService& request) {
  auto planned = planned_service(request);
  if (const auto left = platform.store.service(request.name);
      left && (left->state == ServiceState::Creating || left->state == ServiceState::Destroying)) {
    destroy_service(platform, *left);  // the daemon has not come to it yet
  }
  planned.sealed_password = platform.store.vault().seal_service_password(
      request.name, request.password ? *request.password : random_password());
  const auto service = platform.store.add_service(planned);
  try {
    const auto server = server_of(platform, service);
    make_data(server, request.fill);
    platform.engine.start(plan_of(server));
    await_answer(server);
  } catch (const std::exception&) {
    destroy_service(platform, service);
    throw;
  }
  return service;
}

BackingService create_service(const ServicePlatform& platform, const NewService& request) {
  planned_service(request);  // refuse an invalid request before waiting for the lock
  const auto lock = lock_service(platform, request.name, "the creation");
  const auto service = make_service(platform, request);
  platform.store.set_service_state(service.id, ServiceState::Running);
  return platform.store.service(service.id).value();
}

void start_service(const ServicePlatform& platform, const BackingService& service) {
  const auto server = server_of(platform, service);
  platform.engine.start(plan_of(server));
  await_answer(server);
}

void stop_service(const ServicePlatform& platform, const BackingService& service) {
  if (!platform.engine.inspect(service.name)) return;
  platform.engine.stop(service.name);
  const Milliseconds timeout = ServicePlan{.name = service.name, .argv = {}}.stop_timeout;
  // The supervisor kills it when its time is over.
  if (is_gone(platform, service.name, Deadline(timeout + kAfterKill))) return;
  end_at_once(platform, service.name);
}

void destroy_service(const ServicePlatform& platform, const BackingService& service) {
  platform.store.set_service_state(service.id, ServiceState::Destroying);
  if (platform.engine.inspect(service.name)) end_at_once(platform, service.name);
  discard_files(platform, service.name);
  platform.store.remove_service(service.id);
}

ServiceLook look_at(const ServicePlatform& platform, const BackingService& service) {
  const auto status = platform.engine.inspect(service.name);
  ServiceLook look;
  if (status) look = {ServiceCondition::Stopped, {}, status->since, status->restarts};
  look.problem = disk_problem(platform.settings, service);
  if (service.state == ServiceState::Creating) look.condition = ServiceCondition::Starting;
  if (service.state != ServiceState::Running) return look;
  try {
    const auto server = server_of(platform, service);
    look.condition = ServiceCondition::Starting;
    if (!status) return look;
    if (status->retry_in > Milliseconds{0}) {
      look.condition = ServiceCondition::Crashing;
      look.problem =
          fmt::format("it ended {} times; its log says why: service logs {}", status->restarts, service.name.str());
    } else if (status->up && type_of(service).answers(server)) {
      look.condition = ServiceCondition::Running;
    }
  } catch (const UserError& error) {
    if (!status || !status->up) look.condition = ServiceCondition::NotInstalled;
    look.problem = error.message() + "; " + error.hint();
    if (const auto newer = type_of(service).installed(); type_of(service).takes_data_over() && !newer.empty()) {
      look.problem += fmt::format(". Or run it on the one that is: service upgrade {} --to {}", service.name.str(),
                                  newer.front().version);
    }
  }
  return look;
}

}  // namespace pushrod
