// The bounds of what is known of pods, with their units. A part of limits.hpp; include that file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace exeat::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t pods = 100'000;
inline constexpr std::size_t pods_gone = 100'000;         // whose names are kept for the log and the page
inline constexpr std::size_t pod_bytes = 2 * 1024 * 1024; // of one pod's JSON
inline constexpr std::size_t pods_file_bytes = 512 * 1024 * 1024;
inline constexpr std::size_t pod_depth = 32;     // of nested JSON
inline constexpr std::size_t pod_addresses = 16; // of one pod
inline constexpr std::size_t pod_uid_octets = 128;
inline constexpr std::size_t pod_networks = 64;
inline constexpr std::size_t pod_waits = 4'096;     // connections of a worker that wait for their pod to become known
inline constexpr std::size_t pod_waits_of_one = 64; // of one address
inline constexpr auto pods_line_time = 1s;          // that a line of the file may lack its end
inline constexpr auto pod_wait_most = 30s;
inline constexpr auto pods_stale_least = 10s;
inline constexpr auto pods_stale_most = 1h;
inline constexpr auto pods_sweep = 250ms;    // between two looks at tunnels whose pod may have gone
inline constexpr auto pods_file_look = 50ms; // between two looks whether the file has changed

// exeat identities: what it takes from the API server, and what it writes.
inline constexpr std::size_t api_namespaces = 64;
inline constexpr std::size_t api_token_bytes = 64 * 1024;
inline constexpr std::size_t api_head_bytes = 64 * 1024; // of a response
inline constexpr std::size_t api_page_bytes = 64 * 1024 * 1024;
inline constexpr std::size_t api_page_pods = 500;         // that it asks for at once
inline constexpr std::size_t api_pages = 2'000;           // of one list
inline constexpr std::size_t api_continue_octets = 4'096; // of the word that asks for the next page
inline constexpr std::size_t api_version_octets = 64;     // of a resourceVersion
inline constexpr auto api_open_time = 10s;                // for TCP and TLS together
inline constexpr auto api_page_time = 60s;                // from the request to the end of the page, or of the head of a watch
inline constexpr auto api_watch_time = 300s;              // after which the server ends a watch
inline constexpr auto api_silence = 90s;                  // within which a watch brings a line
inline constexpr auto api_retry_least = 200ms;
inline constexpr auto api_retry_most = 30s;
inline constexpr auto api_settled = 10s; // a watch that lasts as long is a success: the next failure is tried again soon
inline constexpr auto pods_heartbeat = 15s;
inline constexpr auto pods_quiet = 1s;                                // of a watch, before the first heartbeat says that all is current
inline constexpr std::uint64_t pods_appended_least = 4 * 1024 * 1024; // events that the file may have before it is written anew
inline constexpr std::size_t pods_left_out = 256;                     // pods whose omission is logged

} // namespace exeat::limits
