// app rename.
#include <fmt/format.h>

#include <memory>

#include "base/error.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"

namespace pushrod {

namespace {

int app_rename(Context& context, const std::string& name, const std::string& new_name) {
  context.require_admin();  // names belong to the machine
  const auto app = context.require_app(name, Right::Administer);
  const auto to = AppName::parse(new_name);
  if (to == app.name) throw UserError(fmt::format("app {} has that name already", name));
  if (context.store().app(to)) {
    throw UserError(fmt::format("there is an app called {} already", new_name), "choose another name");
  }
  auto change = change_of(context, app, DeploymentKind::Rename);
  change.detail = detail_of({app.name, to});
  change.new_name = to;
  const int code = run_change(context, change);
  if (code == kExitOk) {
    print(fmt::format("The repo keeps its name, {}, and so does the address to push to.\n", app.repo.str()));
  }
  return code;
}

}  // namespace

void add_app_rename_verb(Grammar& grammar) {
  struct Words {
    std::string name, new_name;
  };
  const auto words = std::make_shared<Words>();
  grammar
      .verb("app", "rename", "give an app another name",
            [words](Context& context) { return app_rename(context, words->name, words->new_name); })
      .app(words->name)
      .needs("NEW", words->new_name, "its new name");
}

}  // namespace pushrod
