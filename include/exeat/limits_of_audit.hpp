// The bounds of the audit log, with their units. A part of limits.hpp; include that file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace exeat::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t audit_ring_records = 8'192;   // per worker
inline constexpr std::size_t audit_reserve = 1'024;        // of the ring, kept for closes: then opens are refused
inline constexpr std::size_t audit_late_records = 65'536;  // closes that did not fit into the ring, per worker
inline constexpr std::size_t audit_client_octets = 255;    // of any text that a client sent
inline constexpr std::size_t audit_denial_reserve = 4'096; // of the ring, not available to denials
inline constexpr std::size_t audit_lines = 4'000;          // a second, of all clients; beyond it events are summed if possible
inline constexpr std::size_t audit_sums = 4'096;           // sums that wait for their line, per worker; beyond it denials name no client
inline constexpr std::size_t audit_client_sums = 16;       // of one client that name a host; its further denials are summed without one
inline constexpr std::size_t audit_sum_lines = 256;        // lines of sums, per worker and second
inline constexpr std::size_t audit_contacts = 1 << 16;     // clients at hosts that already have a line, per worker; 512 KiB
inline constexpr auto progress_interval = 60s;
inline constexpr std::uint64_t progress_bytes = 64ull * 1024 * 1024;
static_assert(audit_reserve < audit_denial_reserve && audit_denial_reserve < audit_ring_records);
inline constexpr std::size_t audit_line_bytes = 16 * 1024;         // a longer line is not from exeat
inline constexpr std::size_t audit_fragment_bytes = 1024 * 1024;   // at the end of a file that are not a line: a crash never leaves more
inline constexpr std::uint64_t checkpoint_lines = 10'000;          // a checkpoint after this many lines, and ...
inline constexpr auto checkpoint_time = 60s;                       // ... this long after the last one, if anything was logged since
inline constexpr auto checkpoint_pause = 1s;                       // at least, between two checkpoints: each waits for the disk
inline constexpr std::size_t audit_text_octets = 1'024;            // of a process event's message
inline constexpr std::size_t told_approvers = 8;                   // of one list, in a line of the audit log
inline constexpr std::size_t audit_buffer_bytes = 8 * 1024 * 1024; // formatted, not yet written; when full, the rings fill up
inline constexpr std::size_t audit_flush_bytes = 256 * 1024;       // of waiting lines: beyond it they are written at once
inline constexpr std::size_t audit_turn_records = 256;             // of one ring, before the other rings are read
inline constexpr std::size_t audit_notes = 1'024;                  // process events that wait for the journal's thread
inline constexpr auto audit_poll = 25ms;
inline constexpr auto audit_retry = 1s;
inline constexpr auto audit_stall = 1s;                            // a pipe or terminal that accepts nothing for this long has failed
inline constexpr auto audit_hold = 30s;                            // how long an upload waits for a log that cannot be written
inline constexpr auto audit_probe = 5s;                            // between two checks whether its disk can be written
inline constexpr auto audit_away = 10s;                            // without a sign from the writing thread, the log has failed
inline constexpr auto audit_stop_time = 3s;                        // to write what is left when exeat stops
inline constexpr std::uint64_t audit_space = 256ull * 1024 * 1024; // free on the log's volume: below it, only tunnels and findings
inline constexpr std::uint64_t audit_space_part = 10;              // ... or one part in this many of the volume, if that is less
inline constexpr std::uint64_t audit_file_least = 1024 * 1024;     // smallest size at which a log may be rotated
inline constexpr std::uint64_t audit_file_most = 1ull << 40;
inline constexpr std::size_t audit_files = 1'000;             // rotated files that may be kept
inline constexpr std::size_t audit_rotation_room = 32 * 1024; // kept free in a rotated file for an event's lines and a checkpoint
static_assert(audit_line_bytes > 6 * (2 * audit_client_octets + audit_text_octets + told_approvers * 63) + 1'024); // 63: a label's octets
static_assert(audit_flush_bytes < audit_buffer_bytes);
inline constexpr std::size_t policy_history = 1'024; // generations whose sha256 is kept

} // namespace exeat::limits
