// One line of an audit log, read back. The line may be anything: what comes out is canonical, or absent. Pure; any thread.
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
    what action = what::process; // of the others only `at` is set then
    wall_time at{};
    std::uint64_t id = 0;
    ip_address source;
    std::uint16_t source_port = 0;
    std::string group;                       // as an allowlist may call it, or "_none"
    std::string rule;                        // the same, or "_other", "_report"; empty: none
    enum verdict verdict = verdict::allowed; // deny: why. open, and a close that is a sum: what report mode let pass
    approach via = approach::tunnel;
    protocol as = protocol::tls; // open, progress, close: what the entry said
    bool ech = false;
    std::optional<hostname> host; // deny: absent where what the client sent is no canonical name
    std::uint16_t port = 0;       // 0: the same
    std::optional<ip_address> peer;
    std::uint64_t upload = 0, download = 0; // so far
    std::uint64_t stands_for = 1;           // deny, close: requests that the line is the sum of; a close that is a sum has no open

    bool reported() const noexcept { return rule == "_report"; } // passed only because the list was in report mode
};

// Nothing for what is no line of an audit log, or says what exeat never writes.
std::optional<logged_event> read_event(std::string_view line);

} // namespace exeat::ops
