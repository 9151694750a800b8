// The keys of a process type's table that limit its instances.
// Used inside config/ only.
#pragma once

#include "config/toml_section.hh"
#include "model/process.hh"

namespace pushrod {

// memory, cpu, processes, open_files; what is absent stays unlimited.
Limits read_limits(TomlSection& process);

// cpu: of one processor, in percent.
std::optional<unsigned> read_processors(TomlSection& section);

}  // namespace pushrod
