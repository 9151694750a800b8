// maintenance on, off, show: what clients get while an operator works on an app.
#include "operate/maintenance.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "cli/grammar.hh"
#include "cli/input.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"

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

void print_state(const MaintenanceView& view) {
  print(fmt::format("Maintenance of {} is {}: {}.\n", view.app.str(), view.state == Maintenance::Off ? "off" : "on",
                    view.meaning));
}

int set(Context& context, const std::string& word, Maintenance state, const std::string& page_file) {
  const auto name = AppName::parse(word);
  context.Session::require_app(name, Right::Deploy);  // before a page is read from standard input
  print_state(set_maintenance(context, name, state, read_page(context, page_file)));
  if (state == Maintenance::Hold) print("A request waits for at most 30 s; then it is answered with 503.\n");
  return kExitOk;
}

int show(Context& context, const std::string& name, bool json) {
  const auto view = maintenance_of(context, AppName::parse(name));
  if (json) {
    print_json(to_json(view));
  } else {
    print_state(view);
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
