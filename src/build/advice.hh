// What the author of a tree should know before it is built: names that Pushrod almost reads, languages that it cannot
// build, files that are in the commit by mistake. Lines for the push; none of them makes it fail.
// Used inside build/ only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "build/builder.hh"
#include "build/builders.hh"

namespace pushrod {

// What is known of a tree when the advice is given.
struct Situation {
  std::filesystem::path directory;
  std::vector<std::string> names;      // what lies in it
  bool runs = false;                   // it says what to run, or its builder knows
  bool own_build = false;              // it has a build of its own: [build] command or .build.sh
  std::string built;                   // what the builder that was chosen builds: "Node.js"; empty: no builder
  std::vector<std::string> ignored{};  // entries of app.json that do not count
};

// near_names.cc: files whose names are nearly those of files that Pushrod reads.
std::vector<std::string> misnamed_files(const Situation& situation);

// other_languages.cc: languages without a builder, and sites and images without a build.
struct OtherLanguages {
  std::vector<std::string> lines;
  std::string command;   // how such a program is usually run; empty: none of them was found
  std::string remedy{};  // what to do instead, if no command is needed
};
OtherLanguages other_languages(const Situation& situation, const Host& host);
// A tree with a file of one of these languages, although it may also have a page of HTML.
bool has_program_of_other_language(const Situation& situation);

// other_platforms.cc: files in which other platforms are told what Pushrod is told elsewhere.
std::vector<std::string> files_of_other_platforms(const Situation& situation);

// likely_mistakes.cc: what should not be in a commit.
std::vector<std::string> likely_mistakes(const Situation& situation);

// Adds all of it to the plan.
void advise(const std::filesystem::path& directory, const AppManifest& manifest, const Host& host, BuildPlan& plan);

}  // namespace pushrod
