// The answers of the admin listener as values that are safe to display: every text is printable, every list is bounded. Pure; any thread.
#pragma once

#include <cli/live/printable.hpp>
#include <exeat/rule.hpp>

#include <boost/system/result.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::cli::live {

struct shown_policy {
    std::string sha256;
    std::uint64_t serial = 0;
    std::string mode; // "enforce" or "report"
    std::optional<wall_time> report_until, expires;
    std::vector<std::string> approved_by;
};

struct moved {
    std::uint64_t upload = 0, download = 0;
};

struct shown_client {
    std::string client;
    moved bytes;
    std::uint64_t denied = 0, tunnels = 0;
    double score = 0;
    std::optional<wall_time> last_cut;
};

struct shown_entry {
    std::string entry, purpose;
    moved bytes;
};

struct shown_budget {
    std::string client, entry, purpose; // empty client: all clients; empty entry: all entries of the purpose
    std::string window;
    std::uint64_t used = 0, limit = 0;
    double share = 0;
};

struct shown_denial {
    std::string reason;
    std::uint64_t total = 0;
};

struct shown_finding {
    wall_time at{};
    std::string detector, severity, action, technique, client, entry;
    double value = 0, threshold = 0, score = 0;
};

struct status_answer {
    std::string version;
    wall_time now{};
    std::chrono::seconds uptime{0};
    bool ready = false, draining = false;
    std::vector<std::string> reasons, warnings;
    std::optional<shown_policy> policy;
    std::uint64_t allowed = 0, denied = 0, upload = 0, download = 0, tunnels = 0;
    bool audit_healthy = true;
    std::uint64_t audit_dropped = 0;
    std::vector<shown_denial> denials;
    std::vector<shown_client> clients;
    std::uint64_t clients_known = 0;
    std::vector<shown_entry> entries;
    std::vector<shown_budget> budgets;
    std::uint64_t findings_total = 0;
    std::vector<shown_finding> findings;
};

struct shown_tunnel {
    std::string id, client, group, entry, purpose, mode, target, address;
    std::chrono::seconds age{0};
    moved bytes;
    bool ech = false, throttled = false;
};

struct tunnels_answer {
    std::uint64_t page = 0, pages = 0, total = 0, matching = 0;
    bool complete = true;
    std::vector<shown_tunnel> tunnels;
};

// The error names the mistake, such as "clients[3].denied is not a count".
boost::system::result<status_answer, std::string> read_status(std::string_view json, charset);
boost::system::result<tunnels_answer, std::string> read_tunnels(std::string_view json, charset);

} // namespace exeat::cli::live
