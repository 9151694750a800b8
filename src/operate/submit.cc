// Submitting a change, and both sides of its process.
#include "operate/submit.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/error.hh"
#include "base/text.hh"
#include "deploy/change_message.hh"
#include "operate/change.hh"
#include "os/background.hh"
#include "os/command.hh"
#include "os/files.hh"
#include "os/retry.hh"
#include "os/stop_signal.hh"

namespace pushrod {

namespace {

using nlohmann::json;

constexpr Milliseconds kBeginDeadline{30'000};
constexpr const char* kHowToSee = "`pushrod deployments APP` shows whether it did; if not, try again";

std::string bytes_of(const json& message) {
  std::string bytes;
  json::to_cbor(message, bytes);
  return bytes;
}

// Null when it is not a whole message.
json message_in(const std::string& bytes) {
  auto message = json::from_cbor(bytes, /*strict=*/true, /*allow_exceptions=*/false);
  return message.is_discarded() ? json() : message;
}

std::string read_all(int fd) {
  std::string bytes;
  char buffer[16'384];
  ssize_t got = 0;
  while ((got = retry_interrupted([&] { return read(fd, buffer, sizeof buffer); })) > 0) {
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
  if (got < 0) throw_errno("read a change");
  return bytes;
}

json answer_of(const std::vector<Deployment>& deployments) {
  json answer = {{"group", deployments.front().group}, {"parts", json::array()}};
  for (const auto& deployment : deployments) answer["parts"].push_back({deployment.app.str(), deployment.number});
  return answer;
}

json answer_of(const Error& error) {
  return {{"message", error.message()},
          {"hint", error.hint()},
          {"is_request", dynamic_cast<const UserError*>(&error) != nullptr}};
}

Submitted submitted_from(const json& answer) {
  if (answer.is_null()) {
    throw Error("the process of the change was killed before it told whether the change began", kHowToSee);
  }
  if (answer.contains("message")) {
    const auto message = answer.at("message").get<std::string>(), hint = answer.at("hint").get<std::string>();
    if (answer.at("is_request").get<bool>()) throw UserError(message, hint);
    throw Error(message, hint);
  }
  Submitted submitted{answer.at("group").get<std::int64_t>(), {}};
  for (const auto& part : answer.at("parts")) {
    submitted.parts.push_back({AppName::parse(part.at(0).get<std::string>()), part.at(1).get<ReleaseNumber>()});
  }
  return submitted;
}

Caller caller_in(Session& session, const json& message) {
  const auto& id = message.at("key");
  if (id.is_null()) return {{}, message.at("address").get<std::string>()};
  auto key = session.store().key(id.get<std::int64_t>());
  if (!key) throw UserError("this key has been removed");
  return {std::move(key), message.at("address").get<std::string>()};
}

// Answers once. A submitter that is gone hears nothing, and the change goes on.
class Answer {
 public:
  explicit Answer(UniqueFd fd) : fd_(std::move(fd)) {}
  void give(const json& answer) {
    if (!fd_) return;
    try {
      write_all(fd_.get(), bytes_of(answer), "tell how a change began");
    } catch (const SystemError&) {
    }
    fd_.reset();
  }

 private:
  UniqueFd fd_;
};

void carry_out(Session& session, const json& message, Answer& answer) {
  if (message.is_null()) throw Error("the change is not complete");
  session.set_caller(caller_in(session, message));
  const auto change = change_from_message(session.store(), message.at("change"));
  const int cancel_fd = stop_signal_fd();
  Journal journal(-1);
  Observer observer;
  observer.begun = [&](const auto& deployments) { answer.give(answer_of(deployments)); };
  const auto outcome = deploy_audited(session, change, journal, cancel_fd, observer);
  // Not told yet when it failed at its very beginning, on a full disk for example.
  if (!outcome.live) answer.give(answer_of(Error(outcome.refusal)));
}

}  // namespace

Submitted submit(const Layout& layout, const Caller& caller, const Change& change) {
  Command command;
  command.argv = {own_program().native(), "--root", layout.root().native(), "change"};
  command.input = bytes_of({{"key", caller.key ? json(caller.key->id) : json()},
                            {"address", caller.address},
                            {"change", to_message(change)}});
  command.deadline = kBeginDeadline;
  const auto result = run(command);
  if (result.end == CommandResult::End::TimedOut) {
    throw Error("the change did not begin within " + format_duration(kBeginDeadline) + "; it may still begin",
                kHowToSee);
  }
  if (!result.ok()) {
    Error error("the change could not begin: its process failed (" + result.describe() + ")", kHowToSee);
    error.set_evidence(lines_of(result.err));
    throw error;
  }
  return submitted_from(message_in(result.out));
}

int run_submitted(const std::function<std::unique_ptr<Session>()>& open) {
  const auto message = message_in(read_all(STDIN_FILENO));
  auto word = make_pipe();
  if (!go_to_background([] {})) {
    word.write_end.reset();
    write_all(STDOUT_FILENO, read_all(word.read_end.get()), "tell how a change began");
    return kExitOk;
  }
  word.read_end.reset();
  Answer answer(std::move(word.write_end));
  try {
    carry_out(*open(), message, answer);
  } catch (const Error& error) {
    answer.give(answer_of(error));
  } catch (const std::exception& error) {
    answer.give(answer_of(Error(error.what())));
  }
  return kExitOk;
}

}  // namespace pushrod
