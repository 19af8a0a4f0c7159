// Every bound in exeat, with its unit. A loop, buffer, list or wait without a line here is a bug. config.hpp contains what the operator may
// change; these are the ceilings, which never change at run time.
#pragma once

#include <exeat/limits_of_audit.hpp>
#include <exeat/limits_of_pods.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace exeat::limits {

using namespace std::chrono_literals;

// Names (RFC 1035 section 2.3.4, RFC 1123 section 2.1): octets of the textual form without a trailing dot.
inline constexpr std::size_t hostname_octets = 253;
inline constexpr std::size_t label_octets = 63;

// HTTP (RFC 9112). A head is buffered whole before any of it is used.
inline constexpr std::size_t request_head_bytes = 16 * 1024;
inline constexpr std::size_t response_head_bytes = 64 * 1024;
inline constexpr std::size_t header_fields = 128;
inline constexpr std::size_t connection_options = 64;  // list elements of all Connection fields of a head, empty ones included
inline constexpr std::size_t accept_ranges = 128;      // list elements of all Accept fields of a head that are read
inline constexpr std::size_t chunk_line_bytes = 256;   // size, extensions, CRLF
inline constexpr std::size_t trailer_bytes = 8 * 1024; // read and dropped
inline constexpr std::size_t chunk_size_digits = 15;   // hexadecimal: below 2^60, no overflow
inline constexpr std::size_t content_length_digits = 18;
inline constexpr std::size_t interim_responses = 16; // 1xx before the final response

// PROXY protocol (proxy-protocol.txt of HAProxy, section 2): the largest header that is read, TLVs included. The length field allows 64 KiB
// more than its 16 octets; senders stay within one segment.
inline constexpr std::size_t proxy_header_bytes = 2'048;
inline constexpr std::size_t proxy_line_bytes = 107; // section 2.1: the longest line of version 1, with its CRLF

// TLS (RFC 8446 sections 4.1.2 and 5.1).
inline constexpr std::size_t client_hello_bytes = 16 * 1024; // the handshake message with its 4-byte header
inline constexpr std::size_t record_bytes = 16 * 1024;
inline constexpr std::size_t held_hello_bytes = client_hello_bytes + 5 * 1024; // with record headers; finer splits are malformed
inline constexpr std::size_t hello_extensions = 128;                           // a browser sends about 20
inline constexpr std::size_t retry_flight_bytes =
    held_hello_bytes + 32 * 1024;                     // early data that a HelloRetryRequest rejects, and the second hello
inline constexpr std::size_t hello_side_records = 16; // alerts and change_cipher_spec of one side before the ServerHello
static_assert(client_hello_bytes <= record_bytes + 5);
static_assert(held_hello_bytes > client_hello_bytes);

// Policy.
inline constexpr std::size_t allowlist_bytes = 16 * 1024 * 1024;
inline constexpr std::size_t hosts_file_bytes = 256 * 1024 * 1024;
inline constexpr std::size_t names = 4'000'000;         // host patterns of one allowlist; a repeated one counts again
inline constexpr std::size_t hosts_line_octets = 4'096; // of a hosts_file, with its comment
inline constexpr std::size_t hosts_file_problems = 20;  // reported for one hosts_file; more are counted
inline constexpr std::size_t problems = 1'000;          // reported for one file
inline constexpr std::size_t rules = 2'000;
inline constexpr std::size_t groups = 256;
inline constexpr std::size_t entries_of_host = 256; // entries that name one pattern: one for each group
inline constexpr std::size_t sources_per_group = 4'096;
inline constexpr std::size_t workloads_per_group = 1'024; // service accounts, or namespaces
inline constexpr std::uint32_t instances = 16;            // pods of one service account at a time, unless its group sets it
inline constexpr std::uint32_t instances_ceiling = 100'000;
inline constexpr std::size_t ports_per_rule = 64;
inline constexpr std::size_t addresses_per_rule = 64;
inline constexpr std::size_t expectations = 10'000;
inline constexpr std::size_t rule_name_octets = 64;  // also for a group's name, which is a metric label
inline constexpr std::size_t text_octets = 1'024;    // owner, reason, ticket, deny_help
inline constexpr std::uint32_t wildcard_names = 100; // different names under an entry's wildcards, per client, unless the entry sets it
inline constexpr std::uint32_t wildcard_names_ceiling = 10'000;
inline constexpr std::uint32_t name_budget_most = 60'000;   // of all pods of one service account, whatever their number
inline constexpr auto name_window = std::chrono::hours{24}; // the window in which they are counted
inline constexpr auto name_step = std::chrono::hours{1};    // the step by which it slides
inline constexpr std::size_t name_budget_names = 1 << 18;   // remembered within a window, of all clients; 2 MiB
inline constexpr std::size_t name_budget_counts = 1 << 16;  // clients x entries with wildcards; 4 MiB
inline constexpr std::size_t name_budget_probes = 64;       // places searched for one of them; none free: denied
inline constexpr auto expiry_notice = std::chrono::days{7}; // how long before an expiry `check` warns of it
inline constexpr std::size_t lint_comparisons = 10'000'000; // of hosts with patterns that could include them; then the check stops
inline constexpr auto report_ahead = std::chrono::days{14};

// Upload budgets (observability.md: what pulling costs in uploads).
inline constexpr std::uint64_t pull_tunnel_bytes = 12 * 1024;                  // per tunnel: handshakes and requests
inline constexpr std::array<std::uint64_t, 3> pull_tunnels{512, 2'048, 8'192}; // tunnels with that allowance in an hour, a day, a week
inline constexpr std::uint64_t pull_download_share = 1'000;                    // bytes down for which one byte up is usual
inline constexpr std::uint64_t pull_download_allowance = 2 * 1024 * 1024;      // the most of that, in bytes, within an hour
inline constexpr auto budget_epoch = std::chrono::minutes{20'160};             // two weeks, so that times before a start can be represented
inline constexpr auto snapshot_interval = std::chrono::seconds{10};            // between two snapshots of the accounts to disk
inline constexpr auto entry_end_look = std::chrono::seconds{1};                // between two looks for entries that end
inline constexpr auto entry_end_lead = std::chrono::seconds{3};                // that an entry's end is prepared before it
inline constexpr auto take_over_interval = std::chrono::milliseconds{200};     // between two checks whether the other process has ended
inline constexpr auto snapshot_grace = std::chrono::minutes{2};  // of a snapshot after an unclean stop; an older one counts as incomplete
inline constexpr std::uint64_t snapshot_minutes = 525'960'000;   // since 1970; a later time is invalid
inline constexpr std::size_t snapshot_bytes = 256 * 1024 * 1024; // to read; all accounts take 166 MiB, a million hosts 24 MiB
inline constexpr std::size_t name_snapshot_bytes = 16 * 1024 * 1024; // to read; full tables take 9 MiB
inline constexpr std::size_t budget_accounts = 65'536;               // keys that have an account of their own
inline constexpr std::size_t budget_sample = 64;                     // accounts examined to evict one when there is no room
// How long it is remembered which account a host had: longer than any window, and than a quarantine.
inline constexpr auto account_memory = std::chrono::days{32};
inline constexpr std::size_t past_hosts = 1 << 21;                 // marks of such hosts (accounts.hpp); 16 MiB
inline constexpr std::size_t heir_accounts = 16 * budget_accounts; // that one list creates at most
inline constexpr std::size_t heirs_listed = 200'000;               // entries in sets of heirs; beyond it, one set has all
inline constexpr std::size_t past_holdings = 32'768;               // entries that had them; beyond it the unused ones are dropped first
inline constexpr std::uint64_t crowded_budget = 4 * 1024 * 1024;   // an hour, for all keys without room together

// Approvals.
inline constexpr std::chrono::minutes clock_grace{5}; // how far the clock may be behind the last run without a warning
inline constexpr std::size_t key_file_bytes = 16 * 1024;
inline constexpr std::size_t passphrase_bytes = 1'024;
inline constexpr std::size_t key_id_digits = 16;
inline constexpr std::size_t trusted_keys = 64;
inline constexpr std::size_t signatures = 64;
inline constexpr std::size_t statement_bytes = 1024 * 1024;     // of a manifest, with its signatures
inline constexpr std::size_t short_statement_bytes = 16 * 1024; // of a grant or a revocation, with its signatures
inline constexpr std::size_t audience_octets = 64;
inline constexpr std::size_t revoked_digests = 4'096; // remembered, and named by a manifest, at most
inline constexpr std::size_t revoked_memory_bytes = 1024 * 1024;
inline constexpr std::size_t ignored_files = 64;           // files of allowlist.d that the log names; all are counted
inline constexpr std::chrono::hours grant_for{24};         // longest validity of a grant unless [policy] grant_for sets it
inline constexpr std::chrono::minutes grant_skew{5};       // how far the clock of a grant's author may be ahead
inline constexpr std::chrono::seconds approval_grace{10};  // for files and manifest to agree before they count as unapproved
inline constexpr std::chrono::seconds state_lock_time{10}; // to wait for another process that writes the approvals' state
inline constexpr std::size_t state_file_bytes = 4 * 1024;
inline constexpr std::size_t list_parts = 256;             // files of allowlist.d
inline constexpr std::size_t list_part_bytes = 256 * 1024; // of each
inline constexpr std::chrono::minutes grant_least{1};      // shortest validity that `exeat grant` accepts
inline constexpr std::chrono::hours grant_ahead{31 * 24};  // longest validity of a grant, whatever [policy] sets
inline constexpr std::uint64_t serial_jump = 1'000;        // largest step from one accepted serial to the next

// Detectors.
inline constexpr std::chrono::seconds pull_max_age{4 * 3'600}; // of a tunnel whose entry does not set it
inline constexpr std::chrono::minutes max_age_least{1};        // that an entry may set: tunnels are checked once a minute
inline constexpr std::chrono::hours max_age_ceiling{30 * 24};
inline constexpr std::chrono::minutes shut_out_time{15}; // duration of a detector's cut
inline constexpr std::size_t suspect_pods = 3;           // of one service account, with findings: then all of its pods are acted on
inline constexpr std::size_t shut_outs = 1'024;          // on each worker at once; beyond it the one that ends first is dropped
inline constexpr std::size_t quarantines = 256;          // at once, by 'exeat quarantine'; their entries' heirs come on top
inline constexpr std::size_t quarantine_bytes = 16 * 1024 * 1024; // of their file, to read
inline constexpr std::chrono::minutes quarantine_least{1};
inline constexpr std::chrono::hours quarantine_ceiling{31 * 24};
static_assert(account_memory > quarantine_ceiling);
inline constexpr std::chrono::milliseconds quarantine_interval{200};  // between two checks whether their file has changed
inline constexpr std::chrono::hours throttle_time{1};                 // duration of a detector's throttle after the last finding
inline constexpr std::size_t throttles = 1'024;                       // throttled clients at entries, at once; beyond it as with shut_outs
inline constexpr std::uint64_t throttle_burst = 16 * 1024;            // bytes that may be sent at once, or ...
inline constexpr std::chrono::milliseconds throttle_burst_time{250};  // ... what the rate allows in this time, if that is more
inline constexpr std::uint64_t throttle_ceiling = 1 << 30;            // bytes a second: a higher rate is no throttle
inline constexpr std::chrono::hours throttle_window{24};              // longest period of a configured rate
inline constexpr std::size_t chunk_sizes = 128;                       // last tunnels of a client at an entry whose sizes are kept
inline constexpr std::int64_t detector_threshold = 1'000'000'000'000; // at most, in the detector's unit
inline constexpr std::chrono::seconds detector_interval{30};          // between two snapshots of the detectors' state to disk
inline constexpr std::size_t detector_bytes = 128 * 1024 * 1024;      // to read; full tables take 50 MiB
inline constexpr std::size_t new_hosts = 4'096;                       // pairs of a client and a new host with a budget, at once
inline constexpr std::size_t detect_clients = 65'536;                 // keys of a table whose values are small
inline constexpr std::size_t detect_entries = 8'192;                  // keys of a table whose values are large: 4 to 14 MiB when it is full

// Metric slots: a rule or group keeps its slot for the life of the process; when they are used up, new names share slot 0.
inline constexpr std::size_t rule_slots = 4'096;
inline constexpr std::size_t group_slots = 1'024;
inline constexpr std::size_t rules_without_slot = 16'384; // whose names are kept: at least those of the last eight lists
static_assert(rule_slots > rules && group_slots > groups && rules_without_slot >= 8 * rules);

// exeat.toml.
inline constexpr std::size_t config_bytes = 1024 * 1024;
inline constexpr std::size_t listeners = 32;
inline constexpr std::size_t workers = 256;
inline constexpr std::size_t connections = 4'000'000;
inline constexpr std::size_t dns_servers = 8;
inline constexpr std::size_t inherited_sockets = 1'024; // that a service manager may pass
inline constexpr std::size_t path_octets = 4'096;
inline constexpr std::size_t proxy_senders = 64;        // networks that send PROXY headers, per listener
inline constexpr std::size_t internal_networks = 256;   // networks of the site whose class is public
inline constexpr std::uint8_t client_prefix = 64;       // bits of an IPv6 address that identify a client, unless the file sets it
inline constexpr std::uint8_t client_prefix_floor = 48; // bits of the prefix that one site gets (RFC 6177); a client is no larger than that
inline constexpr std::size_t sandbox_paths = 64;        // readable paths in addition to those in other settings
inline constexpr auto dns_timeout = 60s;                // ceilings of what the file may set
inline constexpr auto setup_timeout = 5min;             // head, hello, connect
inline constexpr auto idle_timeout = std::chrono::days{7};
inline constexpr auto drain_timeout = 1h;
inline constexpr auto drain_report_interval = 10s; // between two log lines about the remaining tunnels

// Sockets.
inline constexpr int listen_backlog = 4'096;
inline constexpr std::size_t scratch_bytes = 64 * 1024; // one per worker: the most that one non-blocking read returns
inline constexpr std::size_t turn_bytes = 512 * 1024;   // of one direction of one tunnel, before other tunnels are served
inline constexpr int pipe_bytes = 1024 * 1024;          // requested; an unprivileged user may get less
inline constexpr std::size_t idle_pipes = 16;           // kept by a worker for the next bulk transfer
inline constexpr std::size_t bulk_bytes = 16 * 1024;    // a splice of less does not pay
inline constexpr std::size_t accepts_per_turn = 64;
inline constexpr std::size_t linger_bytes = 64 * 1024; // read and dropped so that a refusal reaches the client
inline constexpr auto linger_time = 1s;
inline constexpr auto accept_pause = 100ms;            // after EMFILE, ENFILE, ENOBUFS, ENOMEM
inline constexpr std::size_t reserved_fds = 128;       // log, admin, state, signals: descriptors that no tunnel takes
inline constexpr std::size_t fds_per_worker = 16;      // in addition to its listeners and its DNS sockets
inline constexpr std::size_t fds_per_tunnel = 2;       // counted for a tunnel at admission
inline constexpr std::size_t spare_descriptors = 256;  // of one worker, for pipes and further attempts to connect; 128 MiB of pipes at most
inline constexpr std::size_t spare_part = 8;           // and at most this part of the tunnels' descriptors: one in eight
inline constexpr auto sweep_interval = 100ms;          // the resolution of deadlines
inline constexpr std::size_t operation_bytes = 256;    // of an Asio operation that must start even without free memory
inline constexpr auto trim_look = 100ms;               // between two checks whether a crowd has left; a crowd may last less than a second
inline constexpr unsigned trim_looks = 256;            // trimming ends this many checks after a crowd left
inline constexpr std::size_t trim_connections = 1'000; // connections of a crowd whose memory is returned
inline constexpr std::size_t source_slots = 1 << 16;   // of the table that counts connections per source, and of those of client_rates
inline constexpr std::size_t client_rate_most = 1'000'000; // a second, that the file may set
inline constexpr auto client_burst = 10s;                  // a client may use the allowance of this time at once

// Names to addresses.
inline constexpr std::size_t dns_cache_entries = 16'384; // per worker
inline constexpr std::size_t dns_cache_sweep = 1'024;    // expired entries dropped in one sweep
inline constexpr std::size_t dns_in_flight = 2'048;      // per worker; one source has at most half of it (source_shares.hpp)
inline constexpr std::size_t dns_waiters = 16'384;       // tunnels that wait for an answer, per worker; one source has at most half of it
inline constexpr std::size_t dns_addresses = 64;         // of one answer, A and AAAA together; an answer with more is refused
inline constexpr std::size_t dns_ports = 32;             // UDP sockets for queries in flight, per worker; further queries share them
inline constexpr std::size_t dns_sockets = dns_ports + dns_servers; // per worker, with one TCP connection to each server
inline constexpr std::size_t dns_port_questions = 64;               // queries of a UDP socket in its life while others carry fewer
inline constexpr std::size_t dns_datagrams_per_turn = 64;           // read before other work is done
inline constexpr auto dns_ttl_floor = 1s;
inline constexpr auto dns_ttl_ceiling = 300s;
inline constexpr auto dns_negative_ttl = 1s;
inline constexpr auto attempt_delay = 250ms; // RFC 8305 section 8
static_assert(sweep_interval < attempt_delay);

// Audit logs read by `replay` and `suggest`, which count and report what exceeds these limits.
inline constexpr std::size_t logged_tunnels = 1 << 18;     // open at the same time in the log
inline constexpr std::size_t replay_rows = 100'000;        // different changes listed singly
inline constexpr std::size_t observed_targets = 200'000;   // different served entry x group x host x port
inline constexpr std::size_t observed_refusals = 1 << 16;  // different refused group x host x port; beyond it the rarest are dropped
inline constexpr std::size_t observed_uploaders = 1 << 16; // entries x clients
inline constexpr std::size_t candidates = 50;              // refused targets that `suggest` lists in comments
inline constexpr std::size_t wildcard_replacements = 20;   // at most, names in use by which a wildcard can be replaced
inline constexpr std::size_t told_names = 20;              // in a text, of one entry's unused hosts and similar lists
inline constexpr std::uint64_t upload_headroom = 4;        // a proposed budget, as a multiple of the busiest hour of a client
inline constexpr std::uint64_t upload_least = 1024 * 1024; // of a proposed budget

// Lists of other proxies, which `import` reads.
inline constexpr std::size_t import_bytes = 8 * 1024 * 1024; // of one file; the result stays below allowlist_bytes
inline constexpr std::size_t yaml_nodes = 500'000;           // values of a YAML file; those from aliases and merges count again
inline constexpr std::size_t yaml_depth = 16;                // lists and tables inside each other

// Admin and metrics.
inline constexpr std::size_t admin_connections = 64;
inline constexpr std::size_t admin_head_bytes = 8 * 1024;
inline constexpr auto admin_head_time = 5s;          // for a whole head, and between two requests
inline constexpr auto admin_time = 10s;              // for an answer
inline constexpr std::size_t listed_a_turn = 256;    // tunnels that a worker examines before other work is done
inline constexpr std::size_t listed_tunnels = 1'000; // that can be reached by paging, in any order
inline constexpr std::size_t page_rows = 100;        // tunnels on a page
inline constexpr std::size_t status_rows = 50;       // of each table of /api/status
inline constexpr auto tunnel_look_interval = 250ms;  // between two listings of all tunnels
inline constexpr auto tunnel_look_wait = 5s;         // longest wait for a listing; longer: 503
inline constexpr auto tunnel_answer_time = 2s;       // for the workers to answer
inline constexpr auto report_age = 1s;               // /api/status and /api/history are computed at most this often
static_assert(tunnel_look_wait + tunnel_answer_time < admin_time);
inline constexpr std::size_t recent_findings = 50;  // of detectors, on the status page
inline constexpr auto history_interval = 10s;       // step of the recent history
inline constexpr std::size_t history_steps = 360;   // an hour
inline constexpr std::size_t history_tracks = 512;  // clients, entries or reasons with their own line; the smallest is dropped
inline constexpr std::size_t history_shown = 8;     // of them; the rest is summed in one
inline constexpr std::size_t client_slots = 65'536; // clients counted separately, per worker
inline constexpr std::size_t client_series = 200;
inline constexpr std::size_t budget_series = 2'000; // clients at entries with a budget of their own: the fullest budgets
inline constexpr std::uint64_t client_series_bytes = 1024 * 1024;
inline constexpr auto client_idle = std::chrono::hours{24};
inline constexpr auto client_sweep = std::chrono::seconds{60}; // between two checks for idle clients
inline constexpr std::uint64_t client_series_denials = 50;     // denials that also give a client a series ...
inline constexpr std::size_t client_series_probers = 50;       // ... and the part of client_series for such clients
static_assert(client_series_probers < client_series && audit_flush_bytes < audit_buffer_bytes);
inline constexpr std::size_t denied_groups = 16; // up to this number of groups, every reason x group exists at 0 from the start

// `exeat top`, which does not trust the answers that it gets.
inline constexpr std::size_t top_answer_bytes = 4 * 1024 * 1024;
inline constexpr std::size_t top_head_bytes = 8 * 1024; // of the head's fields
inline constexpr auto top_time = 5s;                    // for one request and its answer
inline constexpr std::size_t top_rows = 1'000;
inline constexpr std::size_t top_text = 255; // columns of one text
inline constexpr std::size_t top_filter = 64;
inline constexpr std::size_t top_tunnels = 100; // of a page
inline constexpr auto top_interval_least = 1s;
inline constexpr auto top_interval_most = 60s;

} // namespace exeat::limits
