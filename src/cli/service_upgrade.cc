// service upgrade, forget, clone: another version of a server, and a copy of what a service holds.
#include <fmt/format.h>

#include "base/error.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/service_upgrade.hh"

namespace pushrod {

namespace {

struct UpgradeWords {
  std::string name, copy, version;
  bool back = false;
  ServiceName service() const { return ServiceName::parse(name); }
};

int upgrade(Context& context, const UpgradeWords& words) {
  if (words.version.empty() == !words.back) {
    throw UsageError("say either to which version, or back", "usage: service upgrade SERVICE --to VERSION, or --back");
  }
  const auto tell = [](const std::string& line) { print(line + "\n"); };
  print("Requests of its apps wait from now on.\n");
  const auto service = words.back ? go_back(context, words.service(), tell)
                                  : upgrade_service(context, words.service(), words.version, tell);
  print(
      fmt::format("Service {} runs on version {}, and requests go on.\n"
                  "What it was before ({}) is kept: service upgrade {} --back, or service forget {}\n",
                  words.name, service.version, service.former_version, words.name, words.name));
  return kExitOk;
}

int forget(Context& context, const UpgradeWords& words) {
  forget_service(context, words.service());
  print(fmt::format("The older data of service {} is deleted.\n", words.name));
  return kExitOk;
}

int clone(Context& context, const UpgradeWords& words) {
  const auto made = clone_service(context, words.service(), ServiceName::parse(words.copy));
  print(
      fmt::format("Service {} runs, with the databases of {}.\nAttach it to an app: service attach {} APP --database "
                  "DATABASE\n",
                  made.name.str(), words.name, made.name.str()));
  return kExitOk;
}

}  // namespace

void add_service_upgrade_verbs(Grammar& grammar) {
  const auto words = std::make_shared<UpgradeWords>();
  grammar
      .verb("service", "upgrade", "run it on another major version of its server",
            [words](Context& context) { return upgrade(context, *words); })
      .needs("SERVICE", words->name, "the service")
      .option("--to", words->version, "the version; `doctor` lists those that are installed")
      .flag("--back", words->back, "to the version and the data before the last upgrade");
  grammar
      .verb("service", "forget", "delete what an upgrade has kept",
            [words](Context& context) { return forget(context, *words); })
      .needs("SERVICE", words->name, "the service");
  grammar
      .verb("service", "clone", "create a service with the same databases",
            [words](Context& context) { return clone(context, *words); })
      .needs("SERVICE", words->name, "the service")
      .needs("NEW-NAME", words->copy, "the name of the copy");
}

}  // namespace pushrod
