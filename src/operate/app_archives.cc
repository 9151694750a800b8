// Whole apps as streams.
#include "operate/app_archives.hh"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/control.hh"
#include "deploy/traffic.hh"
#include "operate/app_views.hh"
#include "operate/audit.hh"
#include "os/files.hh"

namespace pushrod {

namespace {

constexpr std::size_t kMostComplaints = 65'536;

// The tar that writes an archive, going on beside us.
class Packer {
 public:
  Packer(const Layout& layout, const Transfer& transfer, const PackList& list, int out)
      : log_(open_file(transfer.files() / "complaints", O_RDWR | O_CREAT | O_TRUNC)),
        command_(pack_command(layout, transfer, list)),
        tar_(ChildProcess::start(command_, -1, out, log_.get())) {}

  // Throws unless it wrote all.
  void finish() {
    const auto result = tar_.wait(command_.deadline);
    std::string said(kMostComplaints, '\0');
    const auto length = pread(log_.get(), said.data(), said.size(), 0);
    said.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    check_packed(result.value(), said);
  }

 private:
  UniqueFd log_;
  Command command_;
  ChildProcess tar_;
};

// Pushrod makes an app of what the transfer has been filled with, or leaves nothing of it.
ImportedApp take_in(Session& session, const Transfer& transfer, const ReadArchive& archive, const AppName& name,
                    const RepoName& repo, Journal& journal, int cancel_fd) {
  const auto platform = session.platform();
  std::vector<HostName> kept;
  bool is_there = false;
  try {
    auto begun = begin_import(platform, transfer, archive, name, repo);
    kept = std::move(begun.kept_certificates);
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

void begin_to_read(Session& session) {
  session.engine().check_ready();
  settle_imports(session.platform());
}

}  // namespace

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

ImportedApp import_app(Session& session, const ImportOptions& options, int in, Journal& journal, int cancel_fd) {
  session.require_admin();
  if (options.name) refuse_taken_name(session, *options.name);
  begin_to_read(session);
  const auto platform = session.platform();
  const Transfer transfer(platform.layout);
  unpack(platform.layout, transfer, in, session.settings().free_space, cancel_fd);
  auto archive = read_archive(transfer);
  if (!options.domains) {
    archive.app.domains.clear();
    archive.certificates.clear();
  }
  const auto name = options.name.value_or(archive.app.name);
  const auto repo = options.name ? RepoName::parse(name.str()) : archive.app.source.repo;
  refuse_taken_name(session, name);
  std::optional<ImportedApp> imported;
  audited(session, {name.str(), "app import", "made " + format_time(archive.app.made)},
          [&] { imported = take_in(session, transfer, archive, name, repo, journal, cancel_fd); });
  return *imported;
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
