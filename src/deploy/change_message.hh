// A change as a message for the process that carries it out (operate/submit.hh). It names apps by their ids: that
// process reads them from the database. Values of settings stay sealed.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "deploy/change.hh"
#include "store/store.hh"

namespace pushrod {

// For a binary form of JSON (CBOR): it holds bytes that are not text.
nlohmann::json to_message(const Change& change);
// Throws UserError when an app of the change is gone, and Error for what to_message() has not made.
Change change_from_message(Store& store, const nlohmann::json& message);

}  // namespace pushrod
