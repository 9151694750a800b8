// service attach, detach: which apps use a service.
#include <fmt/format.h>

#include "base/error.hh"
#include "cli/change.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/attachments.hh"

namespace pushrod {

namespace {

struct AttachWords {
  std::string service, app, prefix, database;
};

int carry_out(Context& context, const AttachmentChange& result, const std::string& saved) {
  if (result.change) return run_change(context, *result.change);
  print(saved);
  return kExitOk;
}

int attach(Context& context, const AttachWords& words) {
  const auto result = attach_service(context, ServiceName::parse(words.service), AppName::parse(words.app),
                                     words.prefix, words.database);
  return carry_out(context, result,
                   fmt::format("App {} is attached to service {} with its first release.\n", words.app, words.service));
}

int detach(Context& context, const AttachWords& words) {
  const auto result = detach_service(context, ServiceName::parse(words.service), AppName::parse(words.app));
  return carry_out(context, result,
                   fmt::format("App {} is no longer attached to service {}.\n", words.app, words.service));
}

}  // namespace

void add_service_attach_verbs(Grammar& grammar) {
  const auto words = std::make_shared<AttachWords>();
  grammar
      .verb("service", "attach", "give an app an account in a service, in a new release",
            [words](Context& context) { return attach(context, *words); })
      .needs("SERVICE", words->service, "the service")
      .app(words->app)
      .option("--as", words->prefix, "its settings begin with this: REPORTS gives REPORTS_URL")
      .option("--database", words->database, "the database to use (default: the app's own)");
  grammar
      .verb("service", "detach", "take the account away, in a new release; the data stays",
            [words](Context& context) { return detach(context, *words); })
      .needs("SERVICE", words->service, "the service")
      .app(words->app);
}

}  // namespace pushrod
