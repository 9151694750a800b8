// restore: the platform itself, on an empty machine.
#include <fmt/format.h>

#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/input.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/backups.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLargestCredentials = std::size_t{64} << 10;

struct Words {
  std::string url, credentials = "-";
};

int restore_machine(Context& context, const Words& words) {
  const auto credentials = read_input(context, words.credentials,
                                      {"credentials (RESTIC_PASSWORD=… and what the target needs, a line each)",
                                       "restore URL < credentials", kLargestCredentials});
  const auto restored = restore_platform(context, words.url, credentials);
  print(fmt::format("Restored the settings, keys and backup targets of {} UTC.\n", format_time(restored.made)));
  auto missing = counted(restored.apps.size(), "app");
  if (!restored.services.empty()) missing += " and " + counted(restored.services.size(), "service");
  print(fmt::format("Start Pushrod (pushrod up), then restore its {}: pushrod backup restore --all\n", missing));
  return kExitOk;
}

}  // namespace

void add_restore_verb(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  grammar
      .verb("restore", "bring a platform back from its backup, into an empty root directory",
            [words](Context& context) { return restore_machine(context, *words); })
      .needs("URL", words->url, "the target's URL")
      .option("--credentials", words->credentials,
              "a file with RESTIC_PASSWORD=… and the like (default: standard input)");
}

}  // namespace pushrod
