// What a deployment tells: to the person who waits for it, and to its log. Lines for people (I9): a step's heading when
// it begins and its time when it ends, output indented, nothing that could steer a terminal. The client may go away at
// any moment; the log goes on. All functions may be called while the heartbeat's thread prints.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/output_line.hh"
#include "base/redactor.hh"
#include "deploy/heartbeat.hh"
#include "os/clock.hh"
#include "os/unique_fd.hh"

namespace pushrod {

class Journal {
 public:
  // Pauses: for how long a client may take nothing before it gets no more (no deployment, and nothing that waits for
  // its locks, is held up by a client that does not read); after how long a silent step says that it still runs.
  struct Pauses {
    Milliseconds client{5'000};
    Milliseconds silence{10'000};
  };
  // `client`: a descriptor of the person's terminal or connection, not owned; -1 for none. With `colours`, headings are
  // bold on it.
  explicit Journal(int client, bool colours = false) : Journal(client, colours, Pauses{}) {}
  Journal(int client, bool colours, Pauses pauses);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // From now on these secrets do not show in output.
  void hide(const Secret& secret);
  // The text without the secrets; one that holds some comes back as plain_text() shows it.
  std::string redacted(std::string text) const;

  // From now on everything goes to this file as well (created 0600, appended to); several may be open at once. What was
  // said before is not repeated in it. Of what programs print it gets the first kLoggedOutput bytes, and then a line
  // that says so.
  static constexpr std::size_t kLoggedOutput = 16'000'000;
  void open_log(const std::filesystem::path& file);
  void close_logs();

  // "-----> heading", and when the step ends "       done in 0.02 s". Each time that the step has printed nothing for
  // the pause, it says "still `doing` (10 s): `detail`", so `doing` is a phrase such as "building"; empty: nothing is
  // said. `detail` is called then; it must not use the journal.
  using Detail = std::function<std::string()>;
  void begin(std::string_view heading, std::string doing = {}, Detail detail = {});
  // What the step does from now on.
  void now_doing(std::string doing, Detail detail = {});
  void end();
  // The step has failed: no time is shown.
  void abandon();

  void headline(std::string_view text);   // "-----> text", complete
  void line(std::string_view text);       // "       text"
  void complaint(std::string_view text);  // " !     text"
  // Output of a program, in chunks as they come; made safe and indented. The client gets lines of at most 2,000 bytes,
  // the log whole ones up to 256 KiB, and the parts of a longer one with a mark.
  void output(std::string_view chunk);

  // Whose step this is, when several apps are deployed together: everything but headings begins with the name from now
  // on, unless the text does so by itself. Empty: no app's.
  void speak_of(std::string app);

  // Why a step failed. If the step's output has been shown, only its first line that looks like an error is repeated,
  // when that is too far above to be seen. Otherwise these raw lines are its output: the log gets all of them, the
  // client the excerpt (diagnosis/). True if there is anything of it in the log.
  bool evidence(const std::vector<std::string>& lines);

 private:
  void finish_step();
  void flush_output(OutputLine::Until until = OutputLine::Until::End);
  void emit(std::string_view text, bool bold = false);
  std::string named(std::string_view text) const;
  void show_line(OutputLine::Until until);
  void show_piece(std::string_view piece);
  std::string output_line(std::string_view text) const;
  void show_output(std::string_view piece);
  void log_output(std::string_view piece);
  void log_line(std::string_view mark = {});
  void log(std::string_view line);
  void tell_client(std::string_view text);
  void look_for_error(std::string_view piece);
  void beat();

  int client_;
  bool colours_;
  Pauses pauses_;
  std::size_t logged_output_ = 0;
  std::vector<UniqueFd> logs_;
  Redactor redactor_;
  OutputLine line_{redactor_};  // output without its newline yet
  std::string logged_line_;     // what is shown of it already, for the log
  bool is_at_begin_ = true;     // of it, for those that look for errors
  std::string subject_;

  bool in_step_ = false;
  Stopwatch step_time_;
  std::string doing_;
  Detail detail_;
  Stopwatch doing_time_;
  std::size_t output_lines_ = 0;  // of this step
  std::size_t error_line_ = 0;    // the first that looks like an error, counted from 1; 0: none
  std::string error_;

  mutable std::mutex mutex_;
  Heartbeat heartbeat_;  // last: it ends before what its thread uses
};

}  // namespace pushrod
