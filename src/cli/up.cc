// up: runs Pushrod in the foreground.
#include "tree/up.hh"

#include "cli/grammar.hh"
#include "cli/verbs.hh"

namespace pushrod {

void add_up_verb(Grammar& grammar, std::string& user) {
  const auto request = std::make_shared<UpRequest>();
  grammar.verb("up", "run Pushrod in the foreground", [request](Context& context) { return up(context, *request); })
      .option("--http", request->http, "where to listen for HTTP, as ADDRESS:PORT")
      .option("--ssh", request->ssh, "where to listen for SSH, as ADDRESS:PORT")
      .option("--user", user, "as root: become this user first")
      .flag("--no-ssh", request->no_ssh, "no built-in SSH server")
      .excludes("--no-ssh", "--ssh");
}

}  // namespace pushrod
