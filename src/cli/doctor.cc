// doctor: every outside tool and kernel feature that Pushrod uses; present or not, what is lost, how to get it.
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "tree/machine.hh"

namespace pushrod {

namespace {

const char* verdict_of(const Finding& finding) {
  if (finding.good) return "ok";
  if (finding.is_broken) return "BROKEN";
  return finding.required ? "MISSING" : "absent";
}

int doctor(Context& context, bool json) {
  const auto findings = examine_machine(context);
  const bool is_fit = can_run(findings);
  auto list = Json::array();
  Table table({"", "WHAT", "FOUND", "WITHOUT IT", "HOW TO GET IT"});
  for (const auto& finding : findings) {
    list.push_back(to_json(finding));
    table.add({verdict_of(finding), finding.name, finding.found, finding.good ? "" : finding.lost,
               finding.good ? "" : finding.remedy});
  }
  if (json) {
    print_json(list);
  } else {
    print(table.str());
    print(is_fit ? "Pushrod can run here.\n" : "Pushrod cannot run here yet.\n");
  }
  return is_fit ? kExitOk : kExitRequest;
}

}  // namespace

void add_doctor_verb(Grammar& grammar) {
  const auto json = std::make_shared<bool>(false);
  grammar.verb("doctor", "what this machine has and lacks", [json](Context& context) { return doctor(context, *json); })
      .json(*json);
}

}  // namespace pushrod
