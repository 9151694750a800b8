// Renders what a sandbox's resolver reads.
#include "sandbox/hosts.hh"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/text.hh"

namespace pushrod {

namespace {

// glibc's own table (RFC 6724), which any line of gai.conf replaces as a whole.
constexpr std::string_view kDefaultPrecedences =
    "precedence ::/0 40\nprecedence 2002::/16 30\nprecedence ::/96 20\nprecedence ::ffff:0:0/96 10\n";
constexpr std::string_view kLast = "precedence ::1/128 0\n";

// Without a comment, by white space.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  for (const char character : line.substr(0, line.find('#'))) {
    if (character != ' ' && character != '\t' && character != '\r') {
      word += character;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

// "files" first. What stands in brackets after a service belongs to it.
std::string with_files_first(const std::vector<std::string>& services) {
  std::string line = "hosts: files";
  bool of_files = false;
  for (const auto& service : services) {
    if (!service.starts_with('[')) of_files = service == "files";
    if (!of_files) line += " " + service;
  }
  return line;
}

}  // namespace

std::string render_hosts(const std::string& of_host, const std::string& host_name) {
  std::string text = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";
  if (!host_name.empty()) text += fmt::format("127.0.0.1 {0}\n::1 {0}\n", host_name);
  for (const auto& line : lines_of(of_host)) {
    auto words = words_of(line);
    std::erase_if(words, [&](const std::string& word) { return word == "localhost" || word == host_name; });
    if (words.size() > 1) text += join(words, " ") + "\n";
  }
  return text;
}

std::string render_gai_conf(const std::string& of_host) {
  std::string text;
  bool has_table = false;
  for (const auto& line : lines_of(of_host)) {
    const auto words = words_of(line);
    if (words.empty()) continue;
    const bool is_precedence = words.front() == "precedence";
    if (is_precedence && words.size() > 1 && words[1] == "::1/128") continue;
    has_table = has_table || is_precedence;
    text += join(words, " ") + "\n";
  }
  if (!has_table) text += kDefaultPrecedences;
  return text += kLast;
}

std::string render_nsswitch(const std::string& of_host) {
  std::string text;
  bool has_hosts = false;
  for (const auto& line : lines_of(of_host)) {
    auto words = words_of(line);
    if (words.empty() || words.front() != "hosts:") {
      text += line + "\n";
      continue;
    }
    has_hosts = true;
    words.erase(words.begin());
    text += !words.empty() && words.front() == "files" ? line + "\n" : with_files_first(words) + "\n";
  }
  if (!has_hosts) text += "hosts: files dns\n";
  return text;
}

}  // namespace pushrod
