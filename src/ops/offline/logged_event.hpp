// Parses one line of an audit log. The line may be anything; the result is canonical, or absent. Pure; any thread.
#pragma once

#include <exeat/hostname.hpp>
#include <exeat/rule.hpp>
#include <exeat/target.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace exeat::ops {

struct logged_event {
    enum class what : std::uint8_t { open, deny, progress, close, process };
    what action = what::process; // process: only `at` is set
    wall_time at{};
    std::uint64_t id = 0;
    ip_address source;
    std::uint16_t source_port = 0;
    std::string service_account;             // "namespace/name" of the pod that asked; empty: it was none
    std::string group;                       // a valid group name, or "_none"
    std::string rule;                        // a valid entry name, or "_other", "_report"; empty: none
    enum verdict verdict = verdict::allowed; // deny: the reason. open, and a close that is a sum: what report mode let pass
    approach via = approach::tunnel;
    protocol as = protocol::tls; // open, progress, close: the entry's protocol
    bool ech = false;
    std::optional<hostname> host; // deny: absent when the client's name was cut or is not canonical
    std::uint16_t port = 0;       // deny: 0 when absent
    std::optional<ip_address> peer;
    std::uint64_t upload = 0, download = 0; // so far
    std::uint64_t stands_for = 1;           // deny, close: number of requests that the line sums up; a close that is a sum has no open

    bool reported() const noexcept { return rule == "_report"; } // passed only because the list was in report mode
};

// Returns nothing for text that is not a line of an audit log, or that exeat never writes.
std::optional<logged_event> read_event(std::string_view line);

} // namespace exeat::ops
