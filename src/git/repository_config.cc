// Renders the config file of a bare repository, in git-config(1)'s syntax.
// Repository::configure() writes it.
#include "git/repository_config.hh"

#include <fmt/format.h>

namespace pushrod {

namespace {

// Mistakes in commits and trees that old tools made, that git reads without harm, and that cannot be corrected without
// rewriting a project's history. Everything else that fsck knows (".git" in a tree, a symlinked .gitmodules, …)
// refuses the push.
constexpr const char* kHarmless[] = {
    "badDate",
    "badDateOverflow",
    "badEmail",
    "badName",
    "badTimezone",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "nulInCommit",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
};

std::string config_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

std::string render_repository_config(const std::filesystem::path& hooks, const Settings& settings) {
  // core.fsync: what an acknowledged push consists of is on the disk before the client hears of it. git's default
  // leaves loose objects and references out.
  // core.bigFileThreshold, pack.windowMemory: what checks a commit out, serves a fetch or collects garbage stays within
  // its memory for every push. Larger files are copied as they come, and not compared with each other.
  // uploadpack.hideRefs: branches and tags can be fetched, other refs cannot; the last match wins.
  // uploadpack.allow…: a fetch gets what branches and tags reach, nothing by its name alone. So there are no filters: a
  // partial clone fetches each file that it lacks by its name. git ignores these in protocol 2 (service.cc).
  // receive.procReceiveRefs: the hook answers for every ref, so that one refused ref does not refuse the others.
  // receive: whether a branch may be deleted, forced or "checked out" is decided by our hooks alone.
  std::string text = fmt::format(
      "# Written by Pushrod, and written anew whenever it differs.\n"
      "[core]\n"
      "\trepositoryFormatVersion = 0\n"
      "\tbare = true\n"
      "\tfileMode = true\n"
      "\tsymlinks = true\n"
      "\tignoreCase = false\n"
      "\tautoCRLF = false\n"
      "\tattributesFile = /dev/null\n"
      "\tprotectHFS = true\n"
      "\tprotectNTFS = true\n"
      "\thooksPath = {}\n"
      "\tlogAllRefUpdates = false\n"
      "\tfsync = objects,derived-metadata,reference\n"
      "\tbigFileThreshold = 16m\n"
      "[pack]\n"
      "\twindowMemory = 48m\n"
      "[transfer]\n"
      "\tfsckObjects = true\n"
      "\thideRefs = refs/pushrod\n"
      "[uploadpack]\n"
      "\thideRefs = refs/\n"
      "\thideRefs = !refs/heads/\n"
      "\thideRefs = !refs/tags/\n"
      "\tallowTipSHA1InWant = false\n"
      "\tallowReachableSHA1InWant = false\n"
      "\tallowAnySHA1InWant = false\n"
      "\tallowFilter = false\n"
      "[receive]\n"
      "\tprocReceiveRefs = refs/\n"
      "\tadvertisePushOptions = true\n"
      "\tmaxInputSize = {}\n"
      "\tdenyDeletes = false\n"
      "\tdenyNonFastForwards = false\n"
      "\tdenyCurrentBranch = ignore\n"
      "\tdenyDeleteCurrent = ignore\n"
      "\tautogc = false\n"
      "[gc]\n"
      "\tauto = 0\n"
      "[maintenance]\n"
      "\tauto = false\n"
      "[receive \"fsck\"]\n",
      config_string(hooks.string()), settings.push_bytes);
  for (const char* mistake : kHarmless) text += fmt::format("\t{} = warn\n", mistake);
  return text;
}

}  // namespace pushrod
