// Jobs: their names, and their commands as the database keeps them.
#include "model/job.hh"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "model/words.hh"

namespace pushrod {

namespace {

constexpr Words<JobKind, 2> kKinds{"kind of a job", {{{JobKind::Run, "run"}, {JobKind::Cron, "cron"}}}};

bool needs_no_quotes(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@%";
  return !word.empty() && word.find_first_not_of(kPlain) == std::string::npos;
}

}  // namespace

std::string_view to_string(JobKind kind) { return kKinds.word(kind); }
JobKind job_kind_from(std::string_view text) { return kKinds.value(text); }

std::string Job::short_name() const { return fmt::format("{}.{}", name, number); }

InstanceName Job::instance() const { return {app, release, ProcessType::parse(name), number}; }

std::string shown_command(const std::vector<std::string>& command) {
  const bool by_shell = command.size() == 3 && (command[0] == "/bin/bash" || command[0] == "/bin/sh");
  if (by_shell && command[1] == "-c") return command[2];
  std::vector<std::string> words;
  words.reserve(command.size());
  for (const std::string& word : command) words.push_back(needs_no_quotes(word) ? word : shell_quoted(word));
  return join(words, " ");
}

// Arguments are bytes and JSON is Unicode: a word that is not UTF-8 is a list of its bytes.
std::string command_to_json(const std::vector<std::string>& command) {
  auto list = nlohmann::json::array();
  for (const std::string& word : command) {
    if (is_valid_utf8(word)) {
      list.push_back(word);
      continue;
    }
    auto bytes = nlohmann::json::array();
    for (const char byte : word) bytes.push_back(static_cast<unsigned char>(byte));
    list.push_back(std::move(bytes));
  }
  return list.dump();
}

std::vector<std::string> command_from_json(const std::string& text) {
  try {
    std::vector<std::string> command;
    for (const auto& word : nlohmann::json::parse(text)) {
      if (word.is_string()) {
        command.push_back(word.get<std::string>());
        continue;
      }
      std::string bytes;
      for (const auto& byte : word) {
        if (!word.is_array() || !byte.is_number_unsigned() || byte > 255)
          throw Error("the stored command of a job holds no bytes");
        bytes += static_cast<char>(byte.get<unsigned char>());
      }
      command.push_back(std::move(bytes));
    }
    return command;
  } catch (const nlohmann::json::exception& broken) {
    throw Error(fmt::format("the stored command of a job cannot be read: {}", broken.what()));
  }
}

}  // namespace pushrod
