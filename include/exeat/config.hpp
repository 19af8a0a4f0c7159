// Validated settings of one exeat process (exeat.toml), as a value. ops/load_config reads them once at start; they never change. Any
// thread.
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
    intercept via = intercept::redirect; // only in transparent mode
    std::uint16_t port = 0;              // sni: the destination port of its connections
    std::string socket{};                // FileDescriptorName= of its socket, if a service manager passes it
    std::vector<ip_prefix> senders{};    // networks whose connections must begin with a PROXY protocol header; empty: none
    std::string name() const;            // metric label: "proxy 0.0.0.0:3128"
    bool operator==(const listener&) const = default;
};

inline constexpr std::string_view admin_socket = "admin"; // FileDescriptorName= of the admin listener's socket

// Restrictions that the process applies to itself after start-up.
struct sandbox_settings {
    bool system_calls = true;      // seccomp(2)
    bool files = true;             // landlock(7), as far as the kernel supports it
    bool root_expected = false;    // running as root gives no warning
    std::vector<std::string> read; // readable paths in addition to those in other settings
    bool operator==(const sandbox_settings&) const = default;
};

// The action on a detector's finding. (The allowlist sets the action on a spent budget.)
enum class detector_action : std::uint8_t { observe, throttle, cut };
inline constexpr enum_array<detector_action, std::string_view, 3> detector_action_words{"observe", "throttle", "cut"};

struct detector_settings {
    enum_array<detect::detector, detector_action, detect::detectors> actions{};
    enum_array<detect::detector, upload_rate, detect::detectors> rates{}; // the rate for `throttle`
    detect::thresholds than;
    bool operator==(const detector_settings&) const = default;
};

// Facts about the addresses around exeat that it cannot determine itself.
struct network_settings {
    site_networks site;
    std::uint8_t client_prefix = limits::client_prefix; // bits of an IPv6 address that identify a client
    bool operator==(const network_settings&) const = default;
};

// Where exeat learns which pod has an address.
// Where `exeat identities` learns of pods; what serves has no use for it.
struct api_server_settings {
    std::string host; // a name or an address; empty: the one that Kubernetes gives to each of its pods
    std::uint16_t port = 0;
    std::string ca, token;               // paths
    std::vector<std::string> namespaces; // empty: all
    bool operator==(const api_server_settings&) const = default;
};

struct kubernetes_settings {
    std::vector<ip_prefix> networks;       // whose clients are pods and nothing else; empty: none
    std::string pods_file;                 // path
    std::chrono::milliseconds wait{2'000}; // of a connection whose pod is not known yet
    std::chrono::milliseconds stale_after{120'000};
    bool keeps_stale = false; // known pods count also when the source has been away for so long
    api_server_settings api;

    bool covers(const ip_address&) const noexcept; // whether it lies in the networks
    bool operator==(const kubernetes_settings&) const = default;
};

enum class audit_failure : std::uint8_t { deny, proceed };

// Events with a limit per second and client, over all workers.
enum class client_rate : std::uint8_t { connections, requests, refusals, log_lines };
inline constexpr enum_array<client_rate, std::string_view, 4> client_rate_words{"connections", "requests", "refusals", "log_lines"};
using client_rate_limits = enum_array<client_rate, std::size_t, client_rate_words.size()>;

// Rotation by exeat itself; external tools may rotate the log as well.
struct audit_rotation {
    std::uint64_t max_size = 0; // octets of a file; 0: no rotation
    std::size_t keep = 10;      // rotated files; the oldest is deleted
    bool operator==(const audit_rotation&) const = default;
};

struct config {
    std::vector<listener> listeners;
    endpoint admin;
    std::vector<std::string> admin_names;               // host names of the admin listener, in addition to its address; canonical, no port
    std::string allowlist;                              // path
    bool require_end = false;                           // the allowlist and its files must end with the end mark as their last line
    std::string state;                                  // directory; may be empty
    std::vector<std::string> trusted_keys;              // paths; with any, the allowlist must be approved
    std::size_t approvals = 0;                          // different keys that must sign
    std::string audience;                               // what signatures must be made for; never empty with trusted keys
    std::chrono::seconds grant_for = limits::grant_for; // the longest validity of a grant
    std::vector<endpoint> dns_servers;                  // empty: those of the system
    std::chrono::milliseconds dns_timeout{2'000};
    network_settings network;
    kubernetes_settings kubernetes;
    detector_settings detect;
    std::string audit_path; // "stdout" or a path
    audit_failure on_audit_failure = audit_failure::deny;
    audit_rotation rotation;
    std::string checkpoint_key; // signs the log's checkpoints: a path, a "pkcs11:" URI or "credential:NAME"; empty: no signatures

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

    // How a client is counted by its address (client.hpp). Each address of a network of pods is a client of its own.
    std::uint8_t bits_of(const ip_address& source) const noexcept;
    ip_address key_of(const ip_address& source) const noexcept;
    bool operator==(const config&) const = default;
};

} // namespace exeat
