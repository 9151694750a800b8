// Archives as streams.
#include "archive/tar.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <limits>

#include "archive/complaints.hh"
#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "sandbox/sandbox.hh"

namespace pushrod {

namespace {

constexpr std::chrono::hours kDeadline{24 * 30};  // a stream of any size, over any line
constexpr Milliseconds kLook{250};

Sandbox sandbox_for_tar(const Layout& layout) {
  Sandbox sandbox;
  sandbox.host_name = "archive";
  sandbox.directory = "/";
  sandbox.etc = write_sandbox_etc(layout.sandbox_etc());
  sandbox.environment = {{"PATH", "/usr/bin:/bin"}, {"LANG", "C.UTF-8"}};
  return sandbox;
}

void write_list(const fs::path& file, const std::vector<std::string>& names, char end) {
  std::string text;
  for (const auto& name : names) (text += name) += end;
  write_file(file, text, 0600, false);
}

// "tar: data/x: Cannot open: Permission denied" → the rest.
std::string first_complaint(const std::string& complaints) {
  for (const auto& line : lines_of(complaints)) {
    const std::string_view prefix = "tar: ";
    if (!line.empty()) return escaped(line.starts_with(prefix) ? line.substr(prefix.size()) : line);
  }
  return {};
}

UserError refused(const std::string& why) {
  return UserError("the archive is refused: " + why, "make it again: app export APP > app.tar");
}

void check_free_space(const Layout& layout, std::uint64_t free_space) {
  if (free_bytes(layout.root()) >= free_space) return;
  throw UserError(fmt::format("not enough disk space for the archive: {} must stay free ([retention] free_space)",
                              format_bytes(free_space)),
                  "make room (pushrod prune), or ask the administrator for space");
}

void wait_for(ChildProcess& tar, CommandResult& result, const Layout& layout, std::uint64_t free_space, int cancel_fd) {
  while (true) {
    check_free_space(layout, free_space);
    pollfd events[] = {{tar.event_fd(), POLLIN, 0}, {cancel_fd, POLLIN, 0}};
    poll(events, 2, static_cast<int>(kLook.count()));
    if (const auto ended = tar.wait(Milliseconds{0})) {
      result = *ended;
      return;
    }
    if (events[1].revents != 0) throw Cancelled("reading the archive");
  }
}

// tar reads up to the end mark of the archive; what fills the last record would break the pipe of the program that
// writes it.
void drain(int in) {
  constexpr std::size_t kMost = std::size_t{1} << 20;
  char rest[65'536];
  std::size_t taken = 0;
  for (ssize_t length = 0; taken < kMost && (length = read(in, rest, sizeof rest)) > 0;) {
    taken += static_cast<std::size_t>(length);
  }
}

}  // namespace

std::vector<std::string> pack_arguments(const PackList& list) {
  std::vector<std::string> words{"tar",
                                 "--create",
                                 "--file=-",
                                 "--format=pax",
                                 "--pax-option=delete=atime,delete=ctime",
                                 "--sparse",
                                 "--blocking-factor=256",
                                 "--owner=0",
                                 "--group=0",
                                 "--numeric-owner",
                                 "--no-wildcards",
                                 "--anchored",
                                 "--warning=no-file-ignored",
                                 "--transform=flags=r;s,^sqlite/,data/,"};
  if (!list.excluded.empty()) words.emplace_back("--exclude-from=/archive/excluded");
  words.emplace_back("--directory=/archive");
  for (const auto& name : list.files) words.push_back("--add-file=" + name);
  words.emplace_back("--directory=/secrets");
  for (const auto& name : list.secrets) words.push_back("--add-file=" + name);
  if (!list.data.empty()) words.insert(words.end(), {"--directory=/", "data"});
  words.emplace_back("--directory=/archive");
  if (!list.copies.empty()) {
    words.insert(words.end(), {"--null", "--verbatim-files-from", "--files-from=/archive/copies"});
  }
  words.push_back(fmt::format("--add-file={}", kEndMember));
  return words;
}

std::vector<std::string> unpack_arguments() {
  return {"tar",
          "--extract",
          "--file=-",
          "--directory=/in",
          "--keep-old-files",
          "--delay-directory-restore",
          "--no-same-owner",
          "--preserve-permissions",
          "--warning=no-timestamp",
          "--warning=no-unknown-keyword"};
}

Command pack_command(const Layout& layout, const Transfer& transfer, const PackList& list) {
  write_file(transfer.files() / kEndMember, "end\n", 0600, false);
  write_list(transfer.files() / "excluded", list.excluded, '\n');
  write_list(transfer.files() / "copies", list.copies, '\0');
  auto sandbox = sandbox_for_tar(layout);
  sandbox.mounts = {{transfer.files(), "/archive", false}, {transfer.secrets(), "/secrets", false}};
  if (!list.data.empty()) sandbox.mounts.push_back({list.data, "/data", false});
  sandbox.argv = pack_arguments(list);
  auto command = sandbox_command(sandbox);
  command.deadline = kDeadline;
  return command;
}

void check_packed(const CommandResult& result, const std::string& complaints) {
  constexpr int kSomeChanged = 1;
  if (result.end == CommandResult::End::Exited && result.code <= kSomeChanged) return;
  const auto why = first_complaint(complaints);
  throw Error(fmt::format("the archive could not be written: {}", why.empty() ? result.describe() : why));
}

void unpack(const Layout& layout, const Transfer& transfer, int in, std::uint64_t free_space, int cancel_fd) {
  auto sandbox = sandbox_for_tar(layout);
  sandbox.mounts = {{transfer.files(), "/in", true}};
  for (const auto* part : {"settings", "certificates"}) {
    make_directory(transfer.secrets() / part);
    sandbox.mounts.push_back({transfer.secrets() / part, fmt::format("/in/{}", part), true});
  }
  sandbox.argv = unpack_arguments();
  const auto log = open_complaints(transfer);
  CommandResult result;
  {
    auto tar = ChildProcess::start(sandbox_command(sandbox), in, log.get(), log.get());
    wait_for(tar, result, layout, free_space, cancel_fd);
  }
  drain(in);
  const auto why = first_complaint(read_complaints(log));
  if (!result.ok() || !why.empty()) throw refused(why.empty() ? result.describe() : why);
  if (!is_plain_file(transfer.files() / kEndMember)) throw refused("it is not complete");
}

std::uint64_t check_stream(const Layout& layout, int in) {
  constexpr std::size_t kTail = 4096;
  auto sandbox = sandbox_for_tar(layout);
  sandbox.argv = {"tar", "--list", "--file=-", "--blocking-factor=256", "--quoting-style=escape", "--totals"};
  auto command = sandbox_command(sandbox);
  command.input_fd = in;
  command.deadline = kDeadline;
  command.output_cap = std::numeric_limits<std::size_t>::max() / 2;
  command.merge_output = true;
  std::string tail;
  command.on_output = [&](std::string_view chunk) {
    tail += chunk;
    if (tail.size() > 2 * kTail) tail.erase(0, tail.size() - kTail);
    return true;
  };
  const auto result = run(command);
  drain(in);
  const auto lines = lines_of(tail);
  constexpr std::string_view kTotals = "Total bytes read: ";
  const bool is_whole =
      result.ok() && lines.size() >= 2 && lines[lines.size() - 2] == kEndMember && lines.back().starts_with(kTotals);
  if (!is_whole) throw Error("what was read back is not what was written: the archive is not complete");
  const auto rest = std::string_view(lines.back()).substr(kTotals.size());
  return parse_unsigned(rest.substr(0, rest.find(' '))).value_or(0);
}

}  // namespace pushrod
