// What a deployment tells: to the person who waits for it, and to its log.
// Floor 6. Lines for people (I9): a step with its time, build output indented, nothing that could steer a terminal. The
// person may go away at any moment; the log goes on.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hh"
#include "os/clock.hh"
#include "os/unique_fd.hh"

namespace pushrod {

class Journal {
 public:
  // `client`: a descriptor of the person's terminal or connection, not owned; -1 for nobody. With `colours`, step lines
  // are bold on it. A client that takes nothing for as long as `patience` gets no more: no deployment, and nothing that
  // waits for its locks, is held up by who does not read.
  explicit Journal(int client, bool colours = false, Milliseconds patience = Milliseconds{5'000})
      : client_(client), colours_(colours), patience_(patience) {}
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // From now on these secrets do not show in output.
  void hide(const Secret& secret) { redactor_.add(secret); }

  // From now on everything goes to this file as well (created 0600, appended to); several may be open at once. What was
  // said before is not repeated in it. Of what programs print it gets the first kLoggedOutput bytes, and then a line
  // that says so.
  static constexpr std::size_t kLoggedOutput = 16'000'000;
  void open_log(const std::filesystem::path& file);
  void close_logs() { logs_.clear(); }

  // "-----> text": begins a step. The line is held back until the step has output or ends, so that a quick step is one
  // line with its time: "-----> Checking out 3f2a1b9c4d … 0.02 s".
  void begin(std::string text);
  // Shows the held line now: for a step that may take long without a word.
  void show_now();
  void end();
  // The step has failed: shows its line, without a time.
  void abandon();
  // Has a program's output been shown in this step?
  bool has_shown_output() const { return has_shown_output_; }

  void headline(std::string_view text);   // "-----> text", complete
  void line(std::string_view text);       // "       text"
  void complaint(std::string_view text);  // " !     text"
  // Output of a program, in chunks as they come; made safe, indented, cut into lines of at most 2,000 bytes.
  void output(std::string_view chunk);

 private:
  void flush_output();
  void emit(std::string_view text, bool bold = false);
  void emit_output(std::string_view text);
  void emit_output_line(std::string_view raw);
  void log(std::string_view line);
  void tell_client(std::string_view text);
  void cut_long_line();

  int client_;
  bool colours_;
  Milliseconds patience_;
  std::size_t logged_output_ = 0;
  std::vector<UniqueFd> logs_;
  std::optional<std::string> held_;
  bool in_step_ = false;
  bool has_shown_output_ = false;
  Stopwatch step_time_;
  std::string partial_;  // output without its newline yet
  Redactor redactor_;
};

}  // namespace pushrod
