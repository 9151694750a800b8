// app export, import, clone: whole apps as streams.
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/app_archives.hh"
#include "os/stop_signal.hh"

namespace pushrod {

namespace {

struct Words {
  std::string app, name;
  bool no_data = false, no_settings = false, no_domains = false, with_data = false;
};

void tell(const std::vector<std::string>& notes) {
  for (const auto& note : notes) fmt::print(stderr, "Note: {}.\n", escaped(note));
}

int app_export(Context& context, const Words& words) {
  const auto name = AppName::parse(words.app);
  context.Session::require_app(name, Right::Administer);
  if (is_terminal(STDOUT_FILENO)) {
    throw UserError("an archive is not written to a terminal",
                    fmt::format("send it to a file or to another server: app export {0} > {0}.tar", words.app));
  }
  tell(export_app(context, name, {.data = !words.no_data, .settings = !words.no_settings}, STDOUT_FILENO));
  return kExitOk;
}

int tell_imported(const ImportedApp& imported) {
  tell(imported.notes);
  const auto& app = imported.app;
  print(fmt::format("App {} is here, in repo {}: git push {} {}\n", app.name.str(), app.repo.str(), imported.push_url,
                    app.branch.str() == "main" ? "main" : shell_quoted("HEAD:" + app.branch.str())));
  print(app.live ? fmt::format("It answers at {}\n", imported.url)
                 : fmt::format("It was not deployed, and is not. It will answer at {}\n", imported.url));
  return kExitOk;
}

int app_import(Context& context, const Words& words) {
  context.require_admin();
  if (is_terminal(STDIN_FILENO)) {
    throw UserError("the archive is read from standard input", "app import < app.tar");
  }
  ImportOptions options{.domains = !words.no_domains};
  if (!words.name.empty()) options.name = AppName::parse(words.name);
  if (context.caller().is_remote()) outlive_client();
  Journal journal(STDOUT_FILENO, is_terminal(STDOUT_FILENO));
  return tell_imported(import_app(context, options, STDIN_FILENO, journal, stop_signal_fd()));
}

int app_clone(Context& context, const Words& words) {
  const auto app = AppName::parse(words.app), name = AppName::parse(words.name);
  if (context.caller().is_remote()) outlive_client();
  Journal journal(STDOUT_FILENO, is_terminal(STDOUT_FILENO));
  return tell_imported(clone_app(context, app, name, words.with_data, journal, stop_signal_fd()));
}

}  // namespace

void add_app_archive_verbs(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  grammar
      .verb("app", "export", "write a whole app to standard output",
            [words](Context& context) { return app_export(context, *words); })
      .app(words->app)
      .flag("--no-data", words->no_data, "without /data")
      .flag("--no-settings", words->no_settings, "without its settings, whose values are in the clear in the archive");
  grammar
      .verb("app", "import", "make an app of what `app export` has written",
            [words](Context& context) { return app_import(context, *words); })
      .takes("NAME", words->name, "another name (default: the one that it had)")
      .flag("--no-domains", words->no_domains, "without its domains and their certificates");
  grammar
      .verb("app", "clone", "make a copy of an app, for staging",
            [words](Context& context) { return app_clone(context, *words); })
      .app(words->app)
      .needs("NEW", words->name, "the name of the copy")
      .flag("--with-data", words->with_data, "with a copy of /data");
}

}  // namespace pushrod
