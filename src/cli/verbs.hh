// Functions that add verbs to the grammar: one per file of commands.
// A command prints to standard output and returns the exit code, or throws.
#pragma once

#include <string>

namespace pushrod {

class Grammar;

// All verbs that work both on this machine and over SSH; the functions below are its parts.
void add_verbs(Grammar& grammar);
void add_app_verbs(Grammar& grammar);
void add_app_archive_verbs(Grammar& grammar);
void add_app_info_verbs(Grammar& grammar);
void add_app_list_verbs(Grammar& grammar);
void add_app_set_verb(Grammar& grammar);
void add_audit_verb(Grammar& grammar);
void add_backup_check_verbs(Grammar& grammar);
void add_backup_restore_verb(Grammar& grammar);
void add_backup_target_verbs(Grammar& grammar);
void add_backup_verbs(Grammar& grammar);
void add_cert_verbs(Grammar& grammar);
void add_cert_dns_verbs(Grammar& grammar);
void add_completion_verb(Grammar& grammar);
void add_config_list_verbs(Grammar& grammar);
void add_config_verbs(Grammar& grammar);
void add_cron_verbs(Grammar& grammar);
void add_deployment_verbs(Grammar& grammar);
void add_doctor_verb(Grammar& grammar);
void add_domain_verbs(Grammar& grammar);
void add_files_verbs(Grammar& grammar);
void add_key_verbs(Grammar& grammar);
void add_key_deploy_verb(Grammar& grammar);
void add_logs_verb(Grammar& grammar);
void add_access_verbs(Grammar& grammar);
void add_maintenance_verbs(Grammar& grammar);
void add_prune_verb(Grammar& grammar);
void add_ps_verb(Grammar& grammar);
void add_top_verb(Grammar& grammar);
void add_release_verbs(Grammar& grammar);
void add_scale_verbs(Grammar& grammar);
void add_service_verbs(Grammar& grammar);
void add_service_limit_verbs(Grammar& grammar);
void add_service_attach_verbs(Grammar& grammar);
void add_service_upgrade_verbs(Grammar& grammar);
void add_service_client_verbs(Grammar& grammar);
void add_run_verbs(Grammar& grammar);

// On this machine alone.
void add_restore_verb(Grammar& grammar);
// `user` is filled by --user.
void add_up_verb(Grammar& grammar, std::string& user);

}  // namespace pushrod
