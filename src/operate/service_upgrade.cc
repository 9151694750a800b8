#include "operate/service_upgrade.hh"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/error.hh"
#include "deploy/held_jobs.hh"
#include "deploy/plans.hh"
#include "deploy/traffic.hh"
#include "deploy/trash.hh"
#include "operate/audit.hh"
#include "services/dumps.hh"
#include "services/upgrade.hh"

namespace pushrod {

namespace {

constexpr Milliseconds kPause{10};  // HAProxy does not tell when a request has ended

// Until the requests that apps have begun are finished, for as long as their releases allow.
void await_requests(Session& session, const BackingService& service) {
  const auto platform = session.platform();
  std::vector<Instance> instances;
  Milliseconds longest{0};
  for (const auto& attachment : session.store().attachments_to(service.id)) {
    const auto app = session.store().app(attachment.app_id);
    if (!app) continue;
    auto routed = session.store().instances(app->id);
    std::erase_if(routed, [](const Instance& one) { return !one.port || one.state != InstanceState::Serving; });
    for (const auto& process : processes_of(platform, *app, routed)) longest = std::max(longest, process.drain_timeout);
    instances.insert(instances.end(), routed.begin(), routed.end());
  }
  const Deadline deadline(longest);
  // Twice: a request that the router was just taking when it was told is counted a moment later.
  for (unsigned quiet = 0; quiet < 2 && !deadline.passed();
       quiet = have_requests(platform, instances) ? 0 : quiet + 1) {
    std::this_thread::sleep_for(kPause);
  }
}

// Jobs of all apps that are attached.
void await_jobs(Session& session, const BackingService& service, Milliseconds longest) {
  std::vector<AppId> apps;
  for (const auto& attachment : session.store().attachments_to(service.id)) apps.push_back(attachment.app_id);
  await_end_of_jobs(session.platform(), apps, longest);
}

BackingService change_version(
    Session& session, const ServiceName& name, const AuditedChange& audit, const Tell& tell,
    const std::function<void(const ServicePlatform&, const BackingService&, const UpgradeCalls&)>& change) {
  session.require_admin();
  const auto service = require_service(session, name, Right::Administer);
  session.engine().check_ready();
  std::optional<BackingService> result;
  audited(session, audit, [&] {
    const auto platform = session.platform().services();
    const auto lock = lock_service(platform, name, "an upgrade");
    const auto found = session.store().service(service.id);
    if (!found) throw UserError(fmt::format("service {} was destroyed in the meantime", name.str()));
    const auto now = settle_upgrade(platform, *found);
    bool holds = false;
    await_jobs(session, now, kJobsMayTake);
    change(platform, now,
           {.traffic_changed =
                [&] {
                  publish_routes(session.platform());
                  holds = !holds;
                  if (!holds) return;
                  await_requests(session, now);
                  await_jobs(session, now, kLateJobsMayTake);
                },
            .tell = tell});
    result = session.store().service(now.id);
  });
  return result.value();
}

}  // namespace

BackingService upgrade_service(Session& session, const ServiceName& name, const std::string& version,
                               const Tell& tell) {
  return change_version(session, name, {"", "service upgrade", name.str() + " to " + version}, tell,
                        [&](const ServicePlatform& platform, const BackingService& service, const UpgradeCalls& calls) {
                          upgrade_service(platform, service, version, calls);
                        });
}

BackingService go_back(Session& session, const ServiceName& name, const Tell& tell) {
  return change_version(session, name, {"", "service upgrade", name.str() + " back"}, tell,
                        [](const ServicePlatform& platform, const BackingService& service, const UpgradeCalls& calls) {
                          go_back(platform, service, calls);
                        });
}

BackingService restore_content(Session& session, const ServiceName& name, const DumpFiles& dumps, const Tell& tell) {
  return change_version(session, name, {"", "backup restore", "service " + name.str()}, tell,
                        [&](const ServicePlatform& platform, const BackingService& service, const UpgradeCalls& calls) {
                          restore_content(platform, service, dumps, calls);
                        });
}

void forget_service(Session& session, const ServiceName& name) {
  session.require_admin();
  const auto service = require_service(session, name, Right::Administer);
  audited(session, {"", "service forget", name.str()}, [&] {
    const auto platform = session.platform().services();
    const auto lock = lock_service(platform, name, "an end");
    if (const auto now = session.store().service(service.id)) forget_former(platform, settle_upgrade(platform, *now));
  });
  empty_trash(session.layout());
}

BackingService clone_service(Session& session, const ServiceName& name, const ServiceName& copy) {
  session.require_admin();
  const auto service = require_service(session, name, Right::Administer);
  session.engine().check_ready();
  std::optional<BackingService> made;
  audited(session, {"", "service clone", fmt::format("{} {}", name.str(), copy.str())}, [&] {
    const auto platform = session.platform().services();
    const auto from = server_of(platform, service);
    if (!type_of(service).answers(from)) {
      throw UserError(fmt::format("service {} does not run", name.str()),
                      fmt::format("start it first: service start {}", name.str()));
    }
    const auto lock = lock_service(platform, copy, "the creation");
    made = make_service(platform, {.name = copy,
                                   .type = service.type,
                                   .version = service.version,
                                   .memory = service.memory,
                                   .disk = service.disk,
                                   .cpu_percent = service.cpu_percent});
    try {
      copy_databases(from, server_of(platform, *made));
    } catch (const std::exception&) {
      destroy_service(platform, *made);
      throw;
    }
    session.store().set_service_state(made->id, ServiceState::Running);
  });
  return *made;
}

}  // namespace pushrod
