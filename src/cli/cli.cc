// The command line: words to commands.
// One grammar for both sides; what only the operator on this machine may call is added for him alone.
#include "cli/cli.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "archive/sqlite_copies.hh"
#include "base/error.hh"
#include "base/text.hh"
#include "cli/completion.hh"
#include "cli/grammar.hh"
#include "cli/halt.hh"
#include "cli/job_holder.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/submit.hh"
#include "tree/become_user.hh"

namespace pushrod {

void add_verbs(Grammar& grammar) {
  add_app_verbs(grammar);
  add_app_archive_verbs(grammar);
  add_app_list_verbs(grammar);
  add_app_info_verbs(grammar);
  add_app_set_verb(grammar);
  add_backup_verbs(grammar);
  add_backup_check_verbs(grammar);
  add_backup_restore_verb(grammar);
  add_backup_target_verbs(grammar);
  add_cert_verbs(grammar);
  add_cert_dns_verbs(grammar);
  add_domain_verbs(grammar);
  add_files_verbs(grammar);
  add_key_verbs(grammar);
  add_key_deploy_verb(grammar);
  add_access_verbs(grammar);
  add_maintenance_verbs(grammar);
  add_ps_verb(grammar);
  add_top_verb(grammar);
  add_config_list_verbs(grammar);
  add_config_verbs(grammar);
  add_scale_verbs(grammar);
  add_service_verbs(grammar);
  add_service_limit_verbs(grammar);
  add_service_client_verbs(grammar);
  add_service_attach_verbs(grammar);
  add_service_upgrade_verbs(grammar);
  add_release_verbs(grammar);
  add_run_verbs(grammar);
  add_cron_verbs(grammar);
  add_deployment_verbs(grammar);
  add_logs_verb(grammar);
  add_doctor_verb(grammar);
  add_completion_verb(grammar);
  add_audit_verb(grammar);
  add_prune_verb(grammar);
}

namespace {

// Verbs that the tree, sshd and Pushrod itself call, not people: "[--root DIR] VERB …".
constexpr std::array<std::string_view, 7> kInternalVerbs = {"serve", "gate",        "change",      "halt",
                                                            "job",   "copy-sqlite", "check-sqlite"};

bool is_internal(const std::vector<std::string>& arguments) {
  const std::size_t verb = !arguments.empty() && arguments.front() == "--root" ? 2 : 0;
  return arguments.size() > verb &&
         std::find(kInternalVerbs.begin(), kInternalVerbs.end(), arguments[verb]) != kInternalVerbs.end();
}

}  // namespace

int run_command_line(const std::vector<std::string>& arguments, const OtherDoors& doors) {
  Grammar grammar;
  std::string root, user, app, reason;
  std::int64_t key_id = 0, job_id = 0;
  grammar.top()
      .option("--root", root, "the root directory (default: $PUSHROD_ROOT, or ~/pushrod)")
      .option("--user", user, "as root: become this user first");
  // Making all verbs takes longer than the gate's own work, and sshd calls it for every connection.
  if (!is_internal(arguments)) {
    add_verbs(grammar);
    add_up_verb(grammar, user);
    add_restore_verb(grammar);
  }
  grammar.hidden("serve", [&] { return doors.serve(choose_root(root)); });
  grammar.hidden("gate", [&] { return doors.gate(choose_root(root), key_id); }).option("--key", key_id, "");
  grammar.hidden("change",
                 [&] { return run_submitted([&] { return std::make_unique<Context>(choose_root(root), Caller{}); }); });
  grammar.hidden("halt", [&] { return run_halt(choose_root(root), app, reason); })
      .option("--app", app, "")
      .option("--reason", reason, "");
  grammar.hidden("copy-sqlite", copy_sqlite_inside);
  grammar.hidden("check-sqlite", check_sqlite_inside);
  grammar.hidden("job", [&] { return hold_job(choose_root(root), job_id); }).option("--id", job_id, "");

  // Before the words are parsed: they are those of another command line, which is not finished.
  if (!arguments.empty() && arguments.front() == "complete")
    return complete(grammar, {arguments.begin() + 1, arguments.end()});
  const auto parsed = grammar.parse(arguments);
  if (parsed.bare) return parsed.bare();
  if (!parsed.action) return kExitOk;
  if (!user.empty() || geteuid() == 0) become_user(user);
  Context context(choose_root(root), {});
  return parsed.action(context);
}

int run_verbs(const std::filesystem::path& root, const std::vector<std::string>& words, const Caller& caller) {
  Grammar grammar;
  add_verbs(grammar);
  const auto parsed = grammar.parse(words);
  if (parsed.bare) return parsed.bare();
  if (!parsed.action) return kExitOk;
  Context context(root, caller);
  return parsed.action(context);
}

int report_errors(const std::function<int()>& action) {
  const auto show = [](const Error& error) {
    std::string text = "pushrod: " + escaped(error.message()) + "\n";
    for (const auto& line : error.evidence()) text += "  | " + plain_text(line) + "\n";
    if (!error.hint().empty()) text += "  " + escaped(error.hint()) + "\n";
    static_cast<void>(std::fputs(text.c_str(), stderr));  // who would hear of it?
  };
  try {
    const int code = action();
    check_output();
    return code;
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
