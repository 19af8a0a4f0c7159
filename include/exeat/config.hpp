// Validated settings of one exeat process (exeat.toml), as a value. Read once at start by ops/load_config; never changed after. Any thread.
#pragma once

#include <exeat/address_class.hpp>
#include <exeat/budget/upload_rate.hpp>
#include <exeat/detect/detector.hpp>
#include <exeat/detect/thresholds.hpp>
#include <exeat/endpoint.hpp>
#include <exeat/enum_array.hpp>
#include <exeat/ip_address.hpp>
#include <exeat/limits.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace exeat {

enum class listen_mode : std::uint8_t { proxy, transparent, sni };
inline constexpr std::size_t listen_modes = 3;
enum class intercept : std::uint8_t { redirect, tproxy };

std::string_view to_string(listen_mode) noexcept;

struct listener {
    listen_mode mode = listen_mode::proxy;
    endpoint address;
    intercept via = intercept::redirect; // transparent
    std::uint16_t port = 0;              // sni: the destination port it stands for
    std::string socket{};                // FileDescriptorName= of its socket, where a service manager holds it
    std::vector<ip_prefix> senders{};    // who must begin with a PROXY protocol header; empty: nobody does
    std::string name() const;            // metric label: "proxy 0.0.0.0:3128"
    bool operator==(const listener&) const = default;
};

inline constexpr std::string_view admin_socket = "admin"; // FileDescriptorName= of the admin page's

// What the process denies itself once it is set up.
struct sandbox_settings {
    bool system_calls = true;      // seccomp(2)
    bool files = true;             // landlock(7), as far as the kernel has it
    bool root_expected = false;    // no warning
    std::vector<std::string> read; // paths beside those that the other settings name
    bool operator==(const sandbox_settings&) const = default;
};

// What a finding of a detector does. (What a spent budget does, the allowlist says.)
enum class detector_action : std::uint8_t { observe, throttle, cut };
inline constexpr enum_array<detector_action, std::string_view, 3> detector_action_words{"observe", "throttle", "cut"};

struct detector_settings {
    enum_array<detect::detector, detector_action, detect::detectors> actions{};
    enum_array<detect::detector, upload_rate, detect::detectors> rates{}; // that throttle holds to
    detect::thresholds than;
    bool operator==(const detector_settings&) const = default;
};

// What exeat cannot know of the addresses around it.
struct network_settings {
    site_networks site;
    std::uint8_t client_prefix = limits::client_prefix; // bits of an IPv6 address by which a client is known
    bool operator==(const network_settings&) const = default;
};

enum class audit_failure : std::uint8_t { deny, proceed };

// What has a limit per second and per client, over all workers.
enum class client_rate : std::uint8_t { connections, requests, refusals, log_lines };
inline constexpr enum_array<client_rate, std::string_view, 4> client_rate_words{"connections", "requests", "refusals", "log_lines"};
using client_rate_limits = enum_array<client_rate, std::size_t, client_rate_words.size()>;

// By exeat itself, beside what a tool outside does.
struct audit_rotation {
    std::uint64_t max_size = 0; // octets of a file; 0: never
    std::size_t keep = 10;      // files beside the one that is written; the oldest is deleted
    bool operator==(const audit_rotation&) const = default;
};

struct config {
    std::vector<listener> listeners;
    endpoint admin;
    std::vector<std::string> admin_names;               // that the admin listener is asked by, beside its address; canonical, no port
    std::string allowlist;                              // path
    bool require_end = false;                           // of the allowlist and its files: the last line must be the end mark
    std::string state;                                  // directory; may be empty
    std::vector<std::string> trusted_keys;              // paths; with any, the allowlist must be approved
    std::size_t approvals = 0;                          // different keys that must sign
    std::string audience;                               // that what they sign must be for; never empty with trusted keys
    std::chrono::seconds grant_for = limits::grant_for; // the longest that a grant may hold
    std::vector<endpoint> dns_servers;                  // empty: the system's
    std::chrono::milliseconds dns_timeout{2'000};
    network_settings network;
    detector_settings detect;
    std::string audit_path; // "stdout" or a path
    audit_failure on_audit_failure = audit_failure::deny;
    audit_rotation rotation;
    std::string checkpoint_key; // signs the log's checkpoints: a path, a "pkcs11:" URI or "credential:NAME"; empty: they are not signed

    std::size_t workers = 0; // 0 in the file is resolved to the number of cores at load
    std::size_t connections = 50'000;
    std::size_t connections_per_source = 4'096;
    client_rate_limits rates{1'000, 2'000, 200, 1'000}; // by client_rate
    std::chrono::milliseconds head_timeout{10'000};
    std::chrono::milliseconds hello_timeout{5'000};
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds idle_timeout{3'600'000};
    std::chrono::milliseconds drain_timeout{30'000};

    sandbox_settings sandbox;
    bool operator==(const config&) const = default;
};

} // namespace exeat
