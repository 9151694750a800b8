// The command line: words to commands.
// Floor 7. One grammar for both sides; what only the operator on this machine may call is added for him alone.
#include "cli/cli.hh"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/commands.hh"
#include "cli/gate.hh"

namespace pushrod {

namespace {

constexpr const char* kVersion = PUSHROD_VERSION;

// Everything that a command may be told; filled by the parser, read by the command that was named.
struct Words {
  std::string root, app, name, repo, branch = "main", path, file, process, user;
  std::vector<std::string> apps;
  ReleaseNumber number = 0;
  unsigned lines = 100, most = 20;
  std::int64_t key_id = 0;
  bool json = false, yes = false, follow = false;
  UpRequest up;
};

class Grammar {
 public:
  Grammar(bool remote, ServeCommand serve)
      : parser_("Pushrod: git push puts a branch into production on your own machine.", "pushrod") {
    parser_.require_subcommand(1);
    parser_.set_version_flag("--version", std::string("pushrod ") + kVersion);
    add_verbs();
    if (!remote) add_local_commands(serve);
  }

  int run(const std::vector<std::string>& arguments, const Caller& caller, const std::filesystem::path& fixed_root) {
    try {
      std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
      parser_.parse(reversed);
    } catch (const CLI::CallForHelp&) {
      std::fputs(deepest()->help().c_str(), stdout);
      return kExitOk;
    } catch (const CLI::CallForAllHelp&) {
      std::fputs(parser_.help("", CLI::AppFormatMode::All).c_str(), stdout);
      return kExitOk;
    } catch (const CLI::CallForVersion& version) {
      std::puts(version.what());
      return kExitOk;
    } catch (const CLI::ParseError& error) {
      throw usage_error(error, arguments);
    }
    if (bare_) return bare_();
    if (!words_.user.empty() || geteuid() == 0) become_user(words_.user);
    Context context(fixed_root.empty() ? choose_root(words_.root) : fixed_root, caller);
    return action_(context);
  }

 private:
  using Action = std::function<int(Context&)>;

  CLI::App* deepest() {
    CLI::App* command = &parser_;
    while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
    return command;
  }

  UsageError usage_error(const CLI::ParseError& error, const std::vector<std::string>& arguments) {
    const auto* command = deepest();
    std::vector<std::string> known;
    for (const auto* sub : command->get_subcommands({})) {
      if (!sub->get_group().empty()) known.push_back(sub->get_name());
    }
    for (const auto& word : arguments) {
      if (known.empty() || word.starts_with("-")) continue;
      if (std::find(known.begin(), known.end(), word) != known.end()) continue;
      if (command != &parser_ && word == command->get_name()) continue;
      if (const auto meant = nearest(word, known)) {
        return UsageError(fmt::format("there is no command {}", quoted(word)), fmt::format("did you mean {}?", *meant));
      }
    }
    if (const auto left = command->remaining(); !known.empty() && !left.empty() && !left.front().starts_with("-")) {
      return UsageError(fmt::format("there is no command {}", quoted(left.front())), "known: " + join(known, ", "));
    }
    if (!known.empty() && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
      return UsageError("a command is missing", "known: " + join(known, ", "));
    }
    std::string message = error.what();
    if (const auto newline = message.find('\n'); newline != std::string::npos) message.resize(newline);
    std::string name = command->get_name();
    while ((command = command->get_parent()) != nullptr) name = command->get_name() + " " + name;
    return UsageError(escaped(message), fmt::format("see: {} --help", name));
  }

  CLI::App* add(CLI::App* parent, const char* name, const char* description, Action action) {
    auto* command = parent->add_subcommand(name, description);
    command->callback([this, action = std::move(action)] { action_ = action; });
    return command;
  }
  CLI::App* add_group(const char* name, const char* description) {
    auto* group = parser_.add_subcommand(name, description);
    group->require_subcommand(1);
    return group;
  }
  void with_app(CLI::App* command) { command->add_option("APP", words_.app, "the app")->required(); }
  void with_json(CLI::App* command) { command->add_flag("--json", words_.json, "for machines"); }

  void add_verbs() {
    auto& words = words_;
    auto* app = add_group("app", "make, list, show and destroy apps");
    auto* create = add(app, "create", "make an app that runs a branch of a repo", [&words](Context& context) {
      return app_create(context, words.name, words.repo, words.branch, words.path);
    });
    create->add_option("NAME", words.name, "its name")->required();
    create->add_option("--repo", words.repo, "the repo (default: the app's name)");
    create->add_option("--branch", words.branch, "the branch (default: main)");
    create->add_option("--path", words.path, "its directory in the repo (default: the root)");
    with_json(add(app, "list", "all apps", [&words](Context& context) { return app_list(context, words.json); }));
    auto* info =
        add(app, "info", "one app", [&words](Context& context) { return app_info(context, words.app, words.json); });
    with_app(info);
    with_json(info);
    auto* destroy = add(app, "destroy", "delete an app and all that is its own",
                        [&words](Context& context) { return app_destroy(context, words.app, words.yes); });
    with_app(destroy);
    destroy->add_flag("--yes", words.yes, "yes, delete it");

    auto* repo = add_group("repo", "the repos");
    with_json(add(repo, "list", "all repos, their branches and apps",
                  [&words](Context& context) { return repo_list(context, words.json); }));

    auto* key = add_group("key", "who may connect");
    auto* key_add_command = add(key, "add", "let a public key in", [&words](Context& context) {
      return key_add(context, words.name, words.file, words.apps);
    });
    key_add_command->add_option("NAME", words.name, "whose key it is")->required();
    key_add_command->add_option("FILE", words.file, "the .pub file, or - for standard input")->default_val("-");
    key_add_command->add_option("--app", words.apps, "let it use only this app (may be given again)")
        ->allow_extra_args(false);
    with_json(add(key, "list", "all keys", [&words](Context& context) { return key_list(context, words.json); }));
    auto* key_remove_command = add(key, "remove", "let a key in no more",
                                   [&words](Context& context) { return key_remove(context, words.name); });
    key_remove_command->add_option("NAME", words.name, "its name")->required();

    auto* ps = add(&parser_, "ps", "the instances",
                   [&words](Context& context) { return show_processes(context, words.app, words.json); });
    ps->add_option("APP", words.app, "only this app's");
    with_json(ps);

    auto* list = add(&parser_, "deployments", "the deployments of an app",
                     [&words](Context& context) { return deployments(context, words.app, words.most, words.json); });
    with_app(list);
    list->add_option("-n", words.most, "how many at the most (default: 20)");
    with_json(list);
    auto* one = add(&parser_, "deployment", "one deployment: its steps, and why it failed",
                    [&words](Context& context) { return deployment(context, words.app, words.number, words.json); });
    with_app(one);
    one->add_option("N", words.number, "its number")->required();
    with_json(one);

    auto* log = add(&parser_, "logs", "what an app writes", [&words](Context& context) {
      return logs(context, {words.app, words.follow, words.lines, words.process,
                            words.number == 0 ? std::nullopt : std::optional(words.number), words.json});
    });
    with_app(log);
    log->add_flag("-f,--follow", words.follow, "go on as more is written");
    log->add_option("-n,--lines", words.lines, "how many lines to begin with (default: 100)");
    log->add_option("--process", words.process, "only this process type, or TYPE.N");
    log->add_option("--deployment", words.number, "the log of this deployment instead");
    with_json(log);

    with_app(add(&parser_, "restart", "new instances of the live release",
                 [&words](Context& context) { return restart(context, words.app); }));
    with_app(add(&parser_, "redeploy", "build and deploy the branch's commit again",
                 [&words](Context& context) { return redeploy(context, words.app); }));
    with_app(add(&parser_, "cancel", "stop a deployment that is in progress",
                 [&words](Context& context) { return cancel(context, words.app); }));

    auto* check = add(&parser_, "doctor", "what this machine has and lacks",
                      [&words](Context& context) { return doctor(context.layout().root(), words.json); });
    with_json(check);
  }

  void add_local_commands(ServeCommand serve) {
    auto& words = words_;
    parser_.add_option("--root", words.root, "the root directory (default: $PUSHROD_ROOT, or ~/pushrod)");
    parser_.add_option("--user", words.user, "as root: become this user first");
    auto* start = add(&parser_, "up", "run Pushrod in the foreground",
                      [&words](Context& context) { return up(context, words.up); });
    start->add_option("--http", words.up.http, "where to listen for HTTP, as ADDRESS:PORT");
    auto* ssh = start->add_option("--ssh", words.up.ssh, "where to listen for SSH, as ADDRESS:PORT");
    start->add_option("--user", words.user, "as root: become this user first");
    start->add_flag("--no-ssh", words.up.no_ssh, "no built-in SSH server")->excludes(ssh);
    // Called by the tree and by sshd, not by people.
    auto* daemon = parser_.add_subcommand("serve", "")->group("");
    daemon->callback([this, serve] { bare_ = [this, serve] { return serve(choose_root(words_.root)); }; });
    auto* door = parser_.add_subcommand("gate", "")->group("");
    door->add_option("--key", words.key_id)->required();
    door->callback([this] { bare_ = [this] { return gate(choose_root(words_.root), words_.key_id); }; });
  }

  CLI::App parser_;
  Words words_;
  Action action_;
  std::function<int()> bare_;  // a command that opens the root by itself
};

}  // namespace

int run_command_line(const std::vector<std::string>& arguments, ServeCommand serve) {
  return Grammar(false, serve).run(arguments, {}, {});
}

int run_verbs(const std::filesystem::path& root, const std::vector<std::string>& words, const Caller& caller) {
  return Grammar(true, nullptr).run(words, caller, root);
}

int report_errors(const std::function<int()>& action) {
  const auto show = [](const Error& error) {
    std::string text = "pushrod: " + escaped(error.message()) + "\n";
    for (const auto& frame : error.frames()) text += "  while " + escaped(frame) + "\n";
    for (const auto& line : error.evidence()) text += "  | " + plain_text(line) + "\n";
    if (!error.hint().empty()) text += "  " + escaped(error.hint()) + "\n";
    std::fputs(text.c_str(), stderr);
  };
  try {
    return action();
  } catch (const UsageError& error) {
    show(error);
    return kExitUsage;
  } catch (const UserError& error) {
    show(error);
    return kExitRequest;
  } catch (const Error& error) {
    show(error);
    return kExitInternal;
  } catch (const std::exception& error) {
    show(Error(error.what(), "this is a mistake in Pushrod"));
    return kExitInternal;
  }
}

}  // namespace pushrod
