// The engine for this machine.
// Calls the rooms below. health.cc decides when an instance is healthy.
#include "engine/local/local_engine.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hh"
#include "base/text.hh"
#include "engine/local/logs.hh"
#include "model/source.hh"
#include "os/files.hh"
#include "sandbox/sandbox.hh"
#include "sandbox/shim_spec.hh"

namespace pushrod {

namespace {

std::vector<std::string> service_names(const std::vector<InstanceName>& names) {
  std::vector<std::string> services;
  services.reserve(names.size());
  for (const auto& name : names) services.push_back(name.str());
  return services;
}

// Under the name that an app is getting, its directory is a symlink (deploy/app_directories.hh).
void make_data_directory(const fs::path& directory) {
  if (std::error_code error; !fs::is_directory(directory, error)) make_directory(directory);
}

}  // namespace

LocalEngine::LocalEngine(const Layout& layout, const Settings& settings, const std::filesystem::path& programs)
    : layout_(layout),
      settings_(settings),
      programs_(programs),
      supervisor_(layout, programs),
      services_(layout, settings, programs) {}

void LocalEngine::check_ready() const {
  if (!supervisor_.is_running()) {
    throw UserError("Pushrod is not running, so nothing can be started",
                    "start it with: pushrod --root " + shell_quoted(layout_.root().string()) + " up");
  }
}

Sandbox LocalEngine::sandbox_of(const InstancePlan& plan) const {
  Sandbox sandbox;
  const auto root = root_of(plan.source);
  sandbox.mounts.push_back({root.empty() ? plan.checkout.tree() : plan.checkout.tree() / root, "/app", false});
  sandbox.directory = directory_in_sandbox(plan.source);
  add_mounts(sandbox, layout_, plan.checkout, plan.mounts, &ReleaseMount::running);
  sandbox.mounts.push_back({layout_.data(plan.name.app), "/data", true});
  for (const auto& service : plan.services) {
    // Read-only: a client can connect, and cannot put a socket of its own in the server's place.
    sandbox.mounts.push_back({layout_.service_socket(service), service_directory_in_app(service), false});
  }
  for (const auto& directory : plan.directories) {
    sandbox.mounts.push_back({directory.from, directory.to, directory.writable});
  }
  sandbox.writable = plan.writable;
  sandbox.host_name = plan.name.app.str();
  sandbox.etc = layout_.sandbox_etc();
  write_sandbox_hosts(sandbox);
  sandbox.environment = plan.environment;
  sandbox.command = plan.process.command;
  if (plan.port) sandbox.ports.push_back(*plan.port);
  for (const auto& [listed, port] : plan.ports) sandbox.ports.push_back(port);
  limit(sandbox, plan);
  return sandbox;
}

Service LocalEngine::service_of(const InstancePlan& plan) const {
  const auto sandbox = sandbox_of(plan);
  Service service;
  service.name = plan.name.str();
  service.spec = render_sandbox_spec(sandbox);
  service.stop_timeout = plan.process.stop_timeout;
  service.log_directory = layout_.instance_log(plan.name);
  service.log_bytes = settings_.log_bytes;
  return service;
}

// The checkout is on this machine already. A missing one is found here, before a running instance has to end for it.
void LocalEngine::provide(const std::vector<InstancePlan>& plans) const {
  for (const auto& plan : plans) {
    if (!is_directory(plan.checkout.tree())) {
      throw Error(fmt::format("the files of release {} of {} are gone: {}", plan.name.release, plan.name.app.str(),
                              plan.checkout.tree().native()),
                  "deploy the app again: redeploy " + plan.name.app.str());
    }
  }
}

Endpoint LocalEngine::endpoint(const Instance& instance) const { return loopback(instance.port.value()); }

void LocalEngine::start(const std::vector<InstancePlan>& plans) const {
  if (plans.empty()) return;
  std::vector<std::string> names;
  for (const auto& plan : plans) {
    make_data_directory(layout_.data(plan.name.app));
    // A live service is what an earlier call made of the same plan: an instance's plan never changes.
    if (!supervisor_.is_linked(plan.name.str())) supervisor_.write(service_of(plan));
    names.push_back(plan.name.str());
  }
  supervisor_.start(names, Milliseconds{10'000});
}

void LocalEngine::stop(const std::vector<InstanceName>& names) const {
  for (const auto& name : names) supervisor_.stop(name.str());
}

void LocalEngine::kill(const std::vector<InstanceName>& names) const {
  for (const auto& name : names) supervisor_.kill(name.str());
}

std::vector<InstanceName> LocalEngine::remove(const std::vector<InstanceName>& names) const {
  std::vector<InstanceName> left;
  for (const auto& service : supervisor_.remove(service_names(names))) {
    if (auto name = InstanceName::from(service)) left.push_back(*name);
  }
  auto gone = names;
  std::erase_if(gone, [&](const auto& name) { return std::find(left.begin(), left.end(), name) != left.end(); });
  remove_groups(gone);
  return left;
}

std::vector<InstanceStatus> LocalEngine::inspect() const {
  std::vector<InstanceStatus> found;
  for (const auto& service : supervisor_.services()) {
    const auto name = InstanceName::from(service);
    if (!name) continue;
    found.push_back(status_of(*name));
  }
  return found;
}

std::vector<InstanceStatus> LocalEngine::inspect(const std::vector<InstanceName>& names) const {
  std::vector<InstanceStatus> found;
  for (const auto& name : names) {
    if (is_directory(layout_.service(name.str()))) found.push_back(status_of(name));
  }
  return found;
}

InstanceStatus LocalEngine::status_of(const InstanceName& name) const {
  const auto status = supervisor_.status(name.str());
  return {name, status.up, status.pid, status.since, status.deaths, last_exit_of(name, status.last_exit)};
}

void LocalEngine::forget_app(const AppName& app) const { remove_file(sandbox_hosts(layout_.sandbox_etc(), app.str())); }

std::unique_ptr<LogStream> LocalEngine::logs(const AppName& app, const std::string& process) const {
  const auto directory = layout_.instance_logs(app);
  const auto sources = [app, process, directory] {
    std::vector<LocalLogs::Source> found;
    for (const auto& entry : list_directory(directory)) {
      const auto name = InstanceName::from(app.str() + "." + entry);
      if (!name) continue;
      const auto number = fmt::format("{}.{}", name->type.str(), name->number);
      if (process.empty() || process == name->type.str() || process == number) {
        found.push_back({number, directory / entry});
      }
    }
    return found;
  };
  return std::make_unique<LocalLogs>(LocalLogs::Places{directory, sources, longest_log_record(settings_.log_bytes)});
}

void LocalEngine::prepare_services(const std::vector<InstancePlan>& plans) const {
  for (const auto& plan : plans) {
    make_data_directory(layout_.data(plan.name.app));
    const auto service = service_of(plan);
    supervisor_.write(service);
    replace_symlink(layout_.scan() / service.name, layout_.service(service.name));
  }
}

}  // namespace pushrod
