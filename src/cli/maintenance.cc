// maintenance on, off, show: what visitors get while somebody works on the app.
// Not a deployment: what runs goes on; only where requests go is another.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/audited.hh"
#include "cli/grammar.hh"
#include "cli/input.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "deploy/instances.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLargestPage = std::size_t{64} << 10;

std::string read_page(const Context& context, const std::string& file) {
  if (file.empty()) return {};
  const auto page = read_text_input(context, file, {"a page", "maintenance on APP --page - < page.html", kLargestPage});
  if (page.empty()) {
    throw UserError("the page is empty", "an HTML page that is complete in itself, or plain text, in UTF-8");
  }
  return page;
}

std::string described(const App& app, Maintenance maintenance, const std::string& page) {
  switch (maintenance) {
    case Maintenance::Off:
      return !app.live ? "the app is not deployed" : app.stopped ? "the app is stopped" : "requests are served";
    case Maintenance::Hold:
      return "requests wait";
    case Maintenance::Page:
      return page.empty() ? "503 and the usual page"
                          : fmt::format("503 and a page of its own ({})", format_bytes(page.size()));
  }
  throw Error("an app is in no maintenance");
}

int set(Context& context, const std::string& name, Maintenance maintenance, const std::string& page_file) {
  const auto app = context.require_app(name, Right::Deploy);
  const auto page = read_page(context, page_file);
  const bool on = maintenance != Maintenance::Off;
  const auto what = described(app, maintenance, page);
  return audited_exit(context, {{app.name.str(), on ? "maintenance on" : "maintenance off", what}}, [&] {
    context.store().set_maintenance(app.id, maintenance, page);
    publish_routes(context.platform());
    print(fmt::format("Maintenance of {} is {}: {}.\n", app.name.str(), on ? "on" : "off", what));
    if (maintenance == Maintenance::Hold) print("None waits for more than 30 s; then it is answered with 503.\n");
    return kExitOk;
  });
}

int show(Context& context, const std::string& name, bool json) {
  const auto app = context.require_app(name, Right::See);
  const auto page = context.store().maintenance_page(app.id);
  if (json) {
    print_json({{"app", app.name.str()}, {"maintenance", to_string(app.maintenance)}, {"page_bytes", page.size()}});
  } else {
    print(fmt::format("Maintenance of {} is {}: {}.\n", app.name.str(),
                      app.maintenance == Maintenance::Off ? "off" : "on", described(app, app.maintenance, page)));
  }
  return kExitOk;
}

}  // namespace

void add_maintenance_verbs(Grammar& grammar) {
  struct Words {
    std::string app, page;
    bool hold = false, json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar.describe_group("maintenance", "a page for visitors, or a wait, while you work on an app");
  grammar
      .verb("maintenance", "on", "503 and a page for every request; or let them wait",
            [words](Context& context) {
              return set(context, words->app, words->hold ? Maintenance::Hold : Maintenance::Page, words->page);
            })
      .app(words->app)
      .flag("--hold", words->hold, "requests wait, up to 30 s")
      .option("--page", words->page, "your own page, a file; - reads standard input")
      .excludes("--hold", "--page");
  grammar
      .verb("maintenance", "off", "requests go to the app again",
            [words](Context& context) { return set(context, words->app, Maintenance::Off, {}); })
      .app(words->app);
  grammar
      .verb("maintenance", "show", "whether it is on",
            [words](Context& context) { return show(context, words->app, words->json); })
      .app(words->app)
      .json(words->json);
}

}  // namespace pushrod
