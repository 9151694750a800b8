// files ls, get, put, rm: an app's /data from outside.
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "operate/app_files.hh"

namespace pushrod {

namespace {

struct Words {
  std::string app, path;
  bool recursive = false, json = false;
  AppName name() const { return AppName::parse(app); }
};

int list(Context& context, const Words& words) {
  auto json = Json::array();
  Table table({"", "BYTES", "MODIFIED (UTC)", "NAME"});
  for (const auto& entry : list_data(context, words.name(), parse_data_path(words.path))) {
    json.push_back(to_json(entry));
    table.add({entry.type == 'f' ? "" : std::string(1, entry.type), std::to_string(entry.bytes),
               format_time(entry.modified), entry.name});
  }
  if (words.json) {
    print_json(json);
  } else if (!table.is_empty()) {
    print(table.str());
  }
  return kExitOk;
}

int get(Context& context, const Words& words) {
  const auto path = parse_data_path(words.path);
  if (is_terminal(STDOUT_FILENO)) {
    throw UserError("the file goes to standard output, which is a terminal",
                    fmt::format("files get {} {} > FILE", words.app, shell_quoted(path)));
  }
  get_data(context, words.name(), path, STDOUT_FILENO);
  return kExitOk;
}

int put(Context& context, const Words& words) {
  const auto path = parse_data_path(words.path);
  context.Session::require_app(words.name(), Right::Deploy);  // before standard input is read
  const auto bytes = put_data(context, words.name(), path, STDIN_FILENO);
  print(fmt::format("Wrote {} to /data/{} of {}.\n", format_bytes(bytes), escaped(path), words.app));
  return kExitOk;
}

int remove(Context& context, const Words& words) {
  const auto path = parse_data_path(words.path);
  remove_data(context, words.name(), path, words.recursive);
  print(fmt::format("Removed /data/{} of {}.\n", escaped(path), words.app));
  return kExitOk;
}

}  // namespace

void add_files_verbs(Grammar& grammar) {
  const auto words = std::make_shared<Words>();
  grammar.describe_group("files", "list, read, write and remove files of an app's /data");
  grammar.verb("files", "ls", "what is in a directory", [words](Context& context) { return list(context, *words); })
      .app(words->app)
      .takes("PATH", words->path, "the directory (default: /data itself)")
      .json(words->json);
  grammar
      .verb("files", "get", "write a file to standard output",
            [words](Context& context) { return get(context, *words); })
      .app(words->app)
      .needs("PATH", words->path, "the file");
  grammar
      .verb("files", "put", "make a file of standard input", [words](Context& context) { return put(context, *words); })
      .app(words->app)
      .needs("PATH", words->path, "the file");
  grammar.verb("files", "rm", "remove a file", [words](Context& context) { return remove(context, *words); })
      .app(words->app)
      .needs("PATH", words->path, "the file")
      .flag("--recursive", words->recursive, "a directory, with all that is in it");
}

}  // namespace pushrod
