// What receive-pack, and through it a client, says to the hooks: pkt-lines, the proc-receive dialogue.
#include <fcntl.h>
#include "fuzz.hh"

#include "git/pkt_line.hh"
#include "git/protocol.hh"

namespace pushrod {

void fuzz(std::string_view bytes) {
  static const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  may_refuse([&] {
    PktLineReader reader(readable(bytes));
    for (int count = 0; count < 100; ++count) static_cast<void>(reader.next());
    return 0;
  });
  may_refuse([&] { return read_pre_receive(readable(bytes)); });
  may_refuse([&] {
    const auto request = read_proc_receive(readable(bytes), nowhere);
    std::vector<RefReport> reports;
    for (const auto& command : request.commands) reports.push_back({command.ref, command.ref});
    return write_proc_receive_report(nowhere, reports);
  });
}

}  // namespace pushrod
