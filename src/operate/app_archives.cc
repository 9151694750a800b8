// Whole apps as streams.
#include "operate/app_archives.hh"

#include <fmt/format.h>

#include "archive/packer.hh"
#include "base/error.hh"
#include "base/text.hh"
#include "deploy/app_databases.hh"
#include "deploy/control.hh"
#include "deploy/traffic.hh"
#include "operate/app_views.hh"
#include "operate/audit.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

// Pushrod makes an app of what the transfer has been filled with, or leaves nothing of it.
ImportedApp take_in(Session& session, const Transfer& transfer, const ReadArchive& archive, const AppName& name,
                    const RepoName& repo, Journal& journal, int cancel_fd) {
  const auto platform = session.platform();
  std::vector<HostName> kept;
  bool is_there = false;
  try {
    auto begun = begin_import(platform, transfer, archive, name, repo);
    kept = std::move(begun.kept_certificates);
    import_databases(platform, transfer, archive, begun.app, journal, cancel_fd);
    if (archive.app.deployed) {
      deploy(platform, change_of(session, begun.app, DeploymentKind::Redeploy), journal, cancel_fd);
    }
    is_there = end_import(platform, transfer, archive.app.deployed);
  } catch (const Error&) {
    end_import(platform, transfer, true);
    throw;
  }
  if (!is_there) {
    throw UserError(
        fmt::format("app {} was not imported: its deployment failed, and nothing of it is left", name.str()),
        "the lines above say why");
  }
  wake_daemon(platform);
  const auto app = session.store().app(name).value();
  ImportedApp imported{app, url_of(platform, app.name), push_url_of(session.settings(), app.repo), {}};
  for (const auto& host : kept) {
    imported.notes.push_back(fmt::format("{} keeps the certificate that it has on this server", host.unicode()));
  }
  return imported;
}

void refuse_taken_name(Session& session, const AppName& name) {
  if (!session.store().app(name)) return;
  throw UserError(fmt::format("app {} already exists", name.str()),
                  "choose another name, or destroy that app first (pushrod app destroy)");
}

}  // namespace

void begin_to_read(Session& session) {
  session.engine().check_ready();
  settle_imports(session.platform());
}

std::vector<std::string> export_app(Session& session, const AppName& name, const ExportParts& parts, int out) {
  session.require_app(name, Right::Administer);
  const auto platform = session.platform();
  std::vector<std::string> notes;
  audited(session, {name.str(), "app export", parts.settings ? "" : "without settings"}, [&] {
    const Transfer transfer(platform.layout);
    auto prepared = prepare_export(platform, transfer, name, parts);
    notes = std::move(prepared.notes);
    Packer(platform.layout, transfer, prepared.list, out).finish();
  });
  return notes;
}

ImportedApp import_from(Session& session, const std::optional<AppName>& name, bool keep_repo,
                        const std::function<void(const Transfer&)>& fill, bool domains, const AuditedChange& what,
                        Journal& journal, int cancel_fd) {
  session.require_admin();
  if (name) refuse_taken_name(session, *name);
  begin_to_read(session);
  const Transfer transfer(session.layout());
  fill(transfer);
  auto archive = read_archive(transfer);
  if (!domains) {
    archive.app.domains.clear();
    archive.certificates.clear();
  }
  const auto to = name.value_or(archive.app.name);
  const auto repo = keep_repo ? archive.app.source.repo : RepoName::parse(to.str());
  refuse_taken_name(session, to);
  std::optional<ImportedApp> imported;
  audited(session, {to.str(), what.action, what.detail + ", made " + format_time(archive.app.made)},
          [&] { imported = take_in(session, transfer, archive, to, repo, journal, cancel_fd); });
  return *imported;
}

ImportedApp import_app(Session& session, const ImportOptions& options, int in, Journal& journal, int cancel_fd) {
  const auto fill = [&](const Transfer& transfer) {
    unpack(session.layout(), transfer, in, session.settings().free_space, cancel_fd);
  };
  return import_from(session, options.name, !options.name, fill, options.domains, {"", "app import", "an archive"},
                     journal, cancel_fd);
}

ImportedApp clone_app(Session& session, const AppName& name, const AppName& to, bool with_data, Journal& journal,
                      int cancel_fd) {
  session.require_admin();
  session.require_app(name, Right::Administer);
  refuse_taken_name(session, to);
  begin_to_read(session);
  const auto platform = session.platform();
  std::optional<ImportedApp> imported;
  const auto work = [&] {
    const Transfer from(platform.layout), transfer(platform.layout);
    auto prepared = prepare_export(platform, from, name, {.data = with_data, .domains = false, .crons = false});
    auto pipe = make_pipe();
    Packer packer(platform.layout, from, prepared.list, pipe.write_end.get());
    pipe.write_end.reset();
    unpack(platform.layout, transfer, pipe.read_end.get(), session.settings().free_space, cancel_fd);
    packer.finish();
    const auto archive = read_archive(transfer);
    imported = take_in(session, transfer, archive, to, RepoName::parse(to.str()), journal, cancel_fd);
    imported->notes.insert(imported->notes.end(), prepared.notes.begin(), prepared.notes.end());
  };
  const auto detail = fmt::format("{} to {}{}", name.str(), to.str(), with_data ? ", with data" : "");
  audited(session, std::vector<AuditedChange>{{name.str(), "app clone", detail}, {to.str(), "app clone", detail}}, [&] {
    work();
    return std::string(kDone);
  });
  return *imported;
}

}  // namespace pushrod
