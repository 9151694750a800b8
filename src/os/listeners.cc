// Matches the inodes of the sockets that listen (/proc/net) with those that the processes have open.
#include "os/listeners.hh"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <set>

#include "base/error.hh"
#include "base/text.hh"
#include "os/files.hh"
#include "os/process_tree.hh"

namespace pushrod {

namespace {

constexpr std::size_t kTableCap = std::size_t{64} << 20;

std::string text_of(const fs::path& file) {
  try {
    return read_file(file, kTableCap).value_or("");
  } catch (const Error&) {
    return {};
  }
}

std::vector<std::string> words_of(const std::string& line) {
  auto words = split(line, ' ');
  std::erase_if(words, [](const std::string& word) { return word.empty(); });
  return words;
}

std::optional<std::uint32_t> hexadecimal(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "0100007F:1F90", or 32 digits and a port: each eight digits are a word as it lies in memory.
std::optional<Listener> parse_address(const std::string& text) {
  const auto colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  std::array<std::uint32_t, 4> words{};
  for (std::size_t at = 0; at < colon / 8; ++at) {
    const auto word = hexadecimal(std::string_view(text).substr(at * 8, 8));
    if (!word) return std::nullopt;
    words[at] = *word;
  }
  const auto port = hexadecimal(std::string_view(text).substr(colon + 1));
  if (!port || *port > 65'535) return std::nullopt;
  Listener listener;
  listener.port = static_cast<Port>(*port);
  std::array<char, INET6_ADDRSTRLEN> shown{};
  const bool is_v6 = colon == 32;
  if (inet_ntop(is_v6 ? AF_INET6 : AF_INET, words.data(), shown.data(), shown.size()) == nullptr) return std::nullopt;
  const std::string host(shown.data());
  listener.address = (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(listener.port);
  listener.takes_127_0_0_1 = host == "0.0.0.0" || host == "127.0.0.1" || host == "::ffff:127.0.0.1" || host == "::";
  return listener;
}

struct Socket {
  std::string inode;
  Listener listener;
};

void read_internet_table(const char* file, std::vector<Socket>& sockets) {
  constexpr std::size_t kAddress = 1, kState = 3, kInode = 9;
  for (const auto& line : lines_of(text_of(file))) {
    const auto words = words_of(line);
    if (words.size() <= kInode || words[kState] != "0A") continue;
    if (const auto listener = parse_address(words[kAddress])) sockets.push_back({words[kInode], *listener});
  }
}

void read_unix_table(std::vector<Socket>& sockets) {
  constexpr std::size_t kFlags = 3, kInode = 6, kPath = 7;
  constexpr std::uint32_t kAccepts = 0x10000;
  for (const auto& line : lines_of(text_of("/proc/net/unix"))) {
    const auto words = words_of(line);
    if (words.size() <= kPath || (hexadecimal(words[kFlags]).value_or(0) & kAccepts) == 0) continue;
    sockets.push_back({words[kInode], {words[kPath], 0, false}});
  }
}

void add_open_sockets(pid_t pid, std::set<std::string>& inodes) {
  const fs::path directory = "/proc/" + std::to_string(pid) + "/fd";
  std::vector<std::string> names;
  try {
    names = list_directory(directory);
  } catch (const Error&) {
    return;
  }
  for (const auto& name : names) {
    std::error_code failure;
    const auto target = fs::read_symlink(directory / name, failure).native();
    constexpr std::string_view kPrefix = "socket:[";
    if (failure || !target.starts_with(kPrefix)) continue;
    inodes.insert(target.substr(kPrefix.size(), target.size() - kPrefix.size() - 1));
  }
}

}  // namespace

std::vector<Listener> listeners_of(pid_t root) {
  std::set<std::string> inodes;
  add_open_sockets(root, inodes);
  for (const auto pid : descendants_of(root)) add_open_sockets(pid, inodes);
  std::vector<Socket> sockets;
  read_internet_table("/proc/net/tcp", sockets);
  read_internet_table("/proc/net/tcp6", sockets);
  read_unix_table(sockets);
  std::vector<Listener> listeners;
  for (const auto& socket : sockets) {
    const bool is_new = std::find(listeners.begin(), listeners.end(), socket.listener) == listeners.end();
    if (inodes.contains(socket.inode) && is_new) listeners.push_back(socket.listener);
  }
  std::stable_sort(listeners.begin(), listeners.end(),
                   [](const Listener& a, const Listener& b) { return a.port < b.port; });
  return listeners;
}

}  // namespace pushrod
