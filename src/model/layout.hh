// The paths of all files and directories in the root directory (mode 0700). docs/files.md lists the owner, mode and
// life of each. Pure: it only makes paths.
#pragma once

#include <filesystem>

#include "model/host_name.hh"
#include "model/names.hh"
#include "os/socket.hh"

namespace pushrod {

namespace fs = std::filesystem;

// A built release on disk. Beside the tree lie the directories that its builder asked for (release_mount.hh).
struct Checkout {
  fs::path directory;                                   // checkouts/<app>/<n> or releases/<app>/<n>
  fs::path tree() const { return directory / "tree"; }  // the commit's files: /app
};

class Layout {
 public:
  // An absolute path without "." or ".." (the caller has made it so).
  explicit Layout(fs::path root) : root_(std::move(root)) {}

  const fs::path& root() const noexcept { return root_; }
  fs::path settings() const { return root_ / "server.toml"; }
  fs::path settings_key() const { return root_ / "settings.key"; }  // opens what the database keeps sealed
  fs::path database() const { return root_ / "pushrod.db"; }
  fs::path certificates() const { return root_ / "certificates"; }
  // "www.example.com.pem", and "_.example.com.pem" for a wildcard: the chain and the key.
  fs::path certificate(const HostName& host) const;
  fs::path renewals() const { return certificates() / "renewals"; }  // what the CA says of renewals; may be lost
  fs::path acme() const { return certificates() / "acme"; }  // lego's: accounts, and what the last order brought

  fs::path repos() const { return root_ / "repos"; }
  fs::path repo(const RepoName& repo) const { return repos() / (repo.str() + ".git"); }

  // In use: live, or being deployed. At most two per app (I4).
  fs::path checkouts() const { return root_ / "checkouts"; }
  fs::path checkouts(const AppName& app) const { return checkouts() / app.str(); }
  Checkout checkout(const AppName& app, ReleaseNumber number) const;
  // Built checkouts that are kept for a rollback; instances that drain may still use them.
  fs::path releases() const { return root_ / "releases"; }
  fs::path releases(const AppName& app) const { return releases() / app.str(); }
  Checkout kept_checkout(const AppName& app, ReleaseNumber number) const;

  // What builds share: each layer is complete, never changes, and is named by what it was made from (deploy/layers.hh).
  fs::path layers() const { return root_ / "layers"; }
  fs::path layer(const std::string& name) const { return layers() / name; }

  // Archives of apps on their way in or out, for as long as their process lives (archive/transfer.hh).
  fs::path transfers() const { return root_ / "transfers"; }
  fs::path secret_transfers() const { return run() / "transfers"; }

  fs::path backup_cache() const { return root_ / "backup-cache"; }  // restic's; safe to delete

  // Discarded directories; the tidier deletes them at any moment.
  fs::path trash() const { return root_ / "trash"; }

  fs::path all_data() const { return root_ / "data"; }                        // and what is put aside: deploy/aside.hh
  fs::path data(const AppName& app) const { return all_data() / app.str(); }  // /data in the sandbox

  // Databases and the like (model/service.hh): a directory for each, with data/ and socket/ in it. No service has a
  // name that begins with '.'.
  fs::path backing_services() const { return root_ / "services"; }
  fs::path backing_service(const ServiceName& name) const { return backing_services() / name.str(); }
  fs::path service_data(const ServiceName& name) const { return backing_service(name) / "data"; }
  fs::path service_socket(const ServiceName& name) const { return backing_service(name) / "socket"; }
  // Data directories that were initialised once, to be copied.
  fs::path service_templates() const { return backing_services() / ".templates"; }
  fs::path forwarder_log(Port port) const { return logs() / "_ports" / std::to_string(port); }
  fs::path backing_service_log(const ServiceName& name) const { return logs() / "_services" / name.str(); }

  fs::path cache() const { return root_ / "cache"; }
  fs::path cache(const AppName& app) const { return cache() / app.str(); }
  fs::path build_cache(const AppName& app) const { return cache(app) / "build"; }     // /cache while building
  fs::path spare_checkout(const AppName& app) const { return cache(app) / "spare"; }  // see git/checkout.hh

  fs::path logs() const { return root_ / "logs"; }
  fs::path logs(const AppName& app) const { return logs() / app.str(); }
  fs::path deployment_log(const AppName& app, ReleaseNumber number) const;
  // logs/<app>/instances/<release>.<type>.<number>/, written by s6-log.
  fs::path instance_logs(const AppName& app) const { return logs(app) / "instances"; }
  fs::path instance_log(const InstanceName& instance) const;
  // router, sshd, daemon. No app can be called "_pushrod".
  fs::path service_log(const std::string& service) const { return logs() / "_pushrod" / service; }
  fs::path access_log() const { return service_log("access"); }  // every request, one line each

  // ssh/: authorized_keys and host keys, written by Pushrod alone.
  fs::path ssh() const { return root_ / "ssh"; }

  // Disposable: rendered anew by `pushrod up`.
  fs::path run() const { return root_ / "run"; }
  fs::path agent(const AppName& app) const { return run() / "agents" / app.str(); }  // of its build (ssh/agent.hh)
  fs::path listen_addresses() const { return run() / "listen.toml"; }  // where the tree listens, as `up` was told
  fs::path cgroup() const { return run() / "cgroup"; }      // names the subtree of cgroups that `up` took, if any
  fs::path scan() const { return run() / "scan"; }          // s6-svscan's scan directory: symlinks
  fs::path services() const { return run() / "services"; }  // the service directories themselves
  fs::path service(const std::string& name) const { return services() / name; }
  fs::path job(const InstanceName& job) const { return run() / "jobs" / job.str(); }  // its keeper's directory
  fs::path hooks() const { return run() / "hooks"; }                                  // core.hooksPath of every repo
  fs::path locks() const { return run() / "locks"; }
  fs::path tree_lock() const { return locks() / "tree"; }          // held while `up` prepares
  fs::path newcomer_lock() const { return locks() / "newcomer"; }  // one makes s6-svscan look at a new service
  fs::path serve_lock() const { return locks() / "serve"; }
  fs::path router_lock() const { return locks() / "router"; }              // one change of the router at a time
  fs::path keys_lock() const { return locks() / "keys"; }                  // one change of authorized_keys at a time
  fs::path gate_log_lock() const { return locks() / "gate.log"; }          // one turn of the gate's log at a time
  fs::path certificates_lock() const { return locks() / "certificates"; }  // one change of them at a time
  fs::path traffic_lock() const { return locks() / "traffic"; }            // one reading of the routes at a time
  fs::path app_lock(const AppName& app) const { return locks() / ("app." + app.str()); }
  fs::path service_lock(const ServiceName& name) const { return locks() / ("service." + name.str()); }
  fs::path service_template_lock() const { return locks() / "service-templates"; }  // one makes them
  fs::path begin_lock() const { return locks() / "begin"; }  // from a deployment's row to its group lock
  fs::path group_lock(std::int64_t group) const { return locks() / ("group." + std::to_string(group)); }
  fs::path job_lock(std::int64_t job) const { return locks() / ("job." + std::to_string(job)); }
  fs::path job_begin_lock() const { return locks() / "jobs"; }  // from a job's row to its lock
  fs::path repo_lock(const RepoName& repo) const { return locks() / ("repo." + repo.str()); }  // who uses the repo
  fs::path layer_lock(const std::string& name) const { return locks() / ("layer." + name); }   // who uses or makes it
  fs::path transfer_lock(const std::string& name) const { return locks() / ("transfer." + name); }
  fs::path backup_lock(const std::string& target) const { return locks() / ("backup." + target); }  // one run at a time
  fs::path trash_lock() const { return locks() / "trash"; }                                         // one empties it
  fs::path build_slot(unsigned slot) const { return locks() / ("build." + std::to_string(slot)); }
  // One push of this key that is on its way.
  fs::path push_slot(std::int64_t key, unsigned slot) const {
    return locks() / ("push." + std::to_string(key) + "." + std::to_string(slot));
  }
  fs::path router() const { return run() / "router"; }             // haproxy.cfg, pages, sockets
  fs::path challenges() const { return router() / "challenges"; }  // what the CA asks for, of the order that runs
  fs::path sandbox_etc() const { return run() / "etc"; }           // passwd and group as sandboxes see them
  fs::path sshd() const { return run() / "sshd"; }
  fs::path serve_socket() const { return run() / "serve.sock"; }  // datagram: "look now"
  fs::path wake_socket() const { return run() / "wake.sock"; }    // stream: the router names an app to wake

 private:
  fs::path root_;
};

}  // namespace pushrod
