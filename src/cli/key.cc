// key add, list, remove: who may connect.
// Floor 7. The database holds the keys; authorized_keys is rendered from it after every change.
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "cli/grammar.hh"
#include "cli/output.hh"
#include "cli/verbs.hh"
#include "os/command.hh"
#include "os/file_lock.hh"
#include "os/files.hh"
#include "ssh/public_key.hh"
#include "ssh/sshd.hh"

namespace pushrod {

namespace {

constexpr std::size_t kLongestKey = 64 << 10;

std::string read_standard_input() {
  std::string text;
  char buffer[4096];
  while (text.size() <= kLongestKey) {
    const auto got = read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("reading standard input");
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  throw UserError("standard input is too long for a public key", "give the .pub file of one key");
}

std::string read_key(const Context& context, const std::string& file) {
  if (file == "-") return read_standard_input();
  if (context.caller().is_remote()) {
    throw UserError("over SSH a key is read from standard input", "key add NAME - < ~/.ssh/id_ed25519.pub");
  }
  const auto text = read_file(file, kLongestKey);
  if (!text)
    throw UserError(fmt::format("there is no file {}", quoted(file)),
                    "give the .pub file of a key, or - for standard input");
  return *text;
}

// Serialised, so that the file never lacks a key that was added at the same moment.
template <class Change>
void change_keys(Context& context, const Change& change) {
  const auto lock = FileLock::acquire(context.layout().keys_lock());
  make_directory(context.layout().ssh());
  const auto write = [&] { write_authorized_keys(context.layout(), context.store().keys(), own_program()); };
  write();  // what a killed change may have left out; the next one may well be refused
  change();
  write();
}

int key_add(Context& context, const std::string& name, const std::string& file, const std::vector<std::string>& apps) {
  context.require_admin();
  const auto key_name = KeyName::parse(name);
  std::vector<AppName> allowed;
  for (const auto& app : apps) allowed.push_back(context.require_app(app).name);
  const auto key = parse_public_key(read_key(context, file));
  change_keys(context, [&] { context.store().add_key(key_name, key.text, key.fingerprint, allowed.empty() ? Role::Admin : Role::Deploy, allowed); });
  print(fmt::format("Key {} ({}) may use {}.\n", key_name.str(), key.fingerprint,
                    apps.empty() ? "everything" : join(apps, ", ")));
  return kExitOk;
}

int key_list(Context& context, bool json) {
  context.require_admin();
  auto list = Json::array();
  Table table({"KEY", "FINGERPRINT", "MAY USE", "ADDED"});
  for (const auto& key : context.store().keys()) {
    std::vector<std::string> apps;
    for (const auto& app : key.apps) apps.push_back(app.str());
    list.push_back({{"key", key.name.str()},
                    {"fingerprint", key.fingerprint},
                    {"public_key", key.public_key},
                    {"apps", key.is_admin() ? Json("all") : Json(apps)},
                    {"created", iso_time(key.created)}});
    table.add(
        {key.name.str(), key.fingerprint, key.is_admin() ? "everything" : join(apps, ", "), format_time(key.created)});
  }
  if (json) {
    print_json(list);
  } else {
    print(table.is_empty() ? "There are no keys. Add yours: pushrod key add NAME ~/.ssh/id_ed25519.pub\n"
                           : table.str());
  }
  return kExitOk;
}

int key_remove(Context& context, const std::string& name) {
  context.require_admin();
  const auto key_name = KeyName::parse(name);
  change_keys(context, [&] { context.store().remove_key(key_name); });
  print(fmt::format("Key {} is gone.\n", key_name.str()));
  return kExitOk;
}

}  // namespace

void add_key_verbs(Grammar& grammar) {
  struct Words {
    std::string name, file = "-";
    std::vector<std::string> apps;
    bool json = false;
  };
  const auto words = std::make_shared<Words>();
  grammar.describe_group("key", "who may connect");
  grammar
      .verb("key", "add", "let a public key in",
            [words](Context& context) { return key_add(context, words->name, words->file, words->apps); })
      .needs("NAME", words->name, "whose key it is")
      .takes("FILE", words->file, "the .pub file, or - for standard input (default: -)")
      .options("--app", words->apps, "let it use only this app (may be given again)");
  grammar.verb("key", "list", "all keys", [words](Context& context) { return key_list(context, words->json); })
      .json(words->json);
  grammar
      .verb("key", "remove", "let a key in no more",
            [words](Context& context) { return key_remove(context, words->name); })
      .needs("KEY", words->name, "its name");
}

}  // namespace pushrod
