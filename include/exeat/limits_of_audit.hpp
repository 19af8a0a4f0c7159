// The bounds of the audit log, with their units; a part of limits.hpp, by which it is read.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace exeat::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t audit_ring_records = 8'192;   // per worker
inline constexpr std::size_t audit_reserve = 1'024;        // of these, kept for closes: opens are refused before
inline constexpr std::size_t audit_late_records = 65'536;  // closes that found the ring full, per worker
inline constexpr std::size_t audit_client_octets = 255;    // of any text that a client sent
inline constexpr std::size_t audit_denial_reserve = 4'096; // of these, that denials leave to all else
inline constexpr std::size_t audit_lines = 4'000;          // a second and of all clients, that could be summed; those beyond are
inline constexpr std::size_t audit_sums = 4'096;           // that wait for their line, per worker; beyond it denials name nobody
inline constexpr std::size_t audit_client_sums = 16;       // of one client that name a host; its others are summed without one
inline constexpr std::size_t audit_sum_lines = 256;        // of sums, per worker and second
inline constexpr std::size_t audit_contacts = 1 << 16;     // clients at hosts that have had a line, per worker; 512 KiB
inline constexpr auto progress_interval = 60s;
inline constexpr std::uint64_t progress_bytes = 64ull * 1024 * 1024;
static_assert(audit_reserve < audit_denial_reserve && audit_denial_reserve < audit_ring_records);
inline constexpr std::size_t audit_line_bytes = 16 * 1024;         // longer is no line of ours
inline constexpr std::size_t audit_fragment_bytes = 1024 * 1024;   // at the end of a file, that are no line: more no crash leaves
inline constexpr std::uint64_t checkpoint_lines = 10'000;          // of the audit log, at the latest, and ...
inline constexpr auto checkpoint_time = 60s;                       // ... so long after the last, when anything was logged since
inline constexpr auto checkpoint_pause = 1s;                       // between two, however many lines there are: each waits for the disk
inline constexpr std::size_t audit_text_octets = 1'024;            // of a process event's message
inline constexpr std::size_t told_approvers = 8;                   // of one list, in a line of the audit log
inline constexpr std::size_t audit_buffer_bytes = 8 * 1024 * 1024; // formatted and not yet written: a failing disk stops the draining here
inline constexpr std::size_t audit_flush_bytes = 256 * 1024;       // of lines that wait: then they are written at once
inline constexpr std::size_t audit_turn_records = 256;             // of one ring, before the others have their turn
inline constexpr std::size_t audit_notes = 1'024;                  // process events that wait for the journal's thread
inline constexpr auto audit_poll = 25ms;
inline constexpr auto audit_retry = 1s;
inline constexpr auto audit_stall = 1s;                            // a pipe or terminal that takes nothing for so long has failed
inline constexpr auto audit_hold = 30s;                            // that an upload waits for a log that cannot be written
inline constexpr auto audit_probe = 5s;                            // between two looks whether its disk takes anything
inline constexpr auto audit_away = 10s;                            // without a sign of the thread that writes it, the log has failed
inline constexpr auto audit_stop_time = 3s;                        // to write what is left at the end
inline constexpr std::uint64_t audit_space = 256ull * 1024 * 1024; // free on the log's volume, for more than tunnels and findings, ...
inline constexpr std::uint64_t audit_space_part = 10;              // ... or this fraction of the volume, if that is less
inline constexpr std::uint64_t audit_file_least = 1024 * 1024;     // of a log that is rotated by its size
inline constexpr std::uint64_t audit_file_most = 1ull << 40;
inline constexpr std::size_t audit_files = 1'000;             // rotated ones that may be kept
inline constexpr std::size_t audit_rotation_room = 32 * 1024; // left in a file that is rotated by its size: an event's lines, a checkpoint
static_assert(audit_line_bytes > 6 * (2 * audit_client_octets + audit_text_octets + told_approvers * 63) + 1'024); // 63: a label's octets
static_assert(audit_flush_bytes < audit_buffer_bytes);
inline constexpr std::size_t policy_history = 1'024; // generations whose sha256 is known

} // namespace exeat::limits
