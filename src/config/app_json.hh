// app.json of Heroku and Dokku → what it adds to the AppManifest.
// pushrod.toml goes first: app.json adds what it does not say. Other programs have an app.json, too, so what is not as
// these platforms have it is left alone.
//   https://devcenter.heroku.com/articles/app-json-schema, https://dokku.com/docs/appendices/file-formats/app-json/
#pragma once

#include <string>

#include "model/process.hh"

namespace pushrod {

// `env`: defaults, required names, secrets to be made up; `formation`: counts of processes that are known; `cron`;
// `healthchecks`: the path of web; `scripts.dokku.predeploy` before the release command, `scripts.postdeploy` with the
// first release. What is there and does not count goes into the manifest's `ignored`. Nothing is refused.
void add_app_json(const std::string& text, AppManifest& manifest);

}  // namespace pushrod
