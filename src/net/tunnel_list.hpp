// The tunnels that are open now, for an outside viewer: the first ones in some order, up to a bound. So the cost does not depend on the
// number of matching tunnels, and a tunnel that comes first is listed among however many others. Values. A worker's tunnels are read on its
// thread; everything else: any thread.
#pragma once

#include <exeat/enum_array.hpp>
#include <exeat/ip_address.hpp>
#include <exeat/rule.hpp>
#include <net/counters.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace exeat::net {

class worker;

enum class tunnel_order : std::uint8_t { upload, download, age, client, entry };
inline constexpr enum_array<tunnel_order, std::string_view, 5> tunnel_order_words{"upload", "download", "age", "client", "entry"};

struct tunnel_question {
    tunnel_order by = tunnel_order::upload;       // first: most bytes, the oldest, the lowest address, the lowest slot
    std::optional<ip_prefix> client;              // only tunnels of these clients
    std::optional<std::vector<std::uint32_t>> at; // only tunnels of entries with these slots
    std::size_t most = 1;                         // rows at most; at least one
};

struct listed_tunnel {
    std::uint64_t id = 0;
    ip_address client;
    std::uint16_t client_port = 0;
    std::uint32_t group_slot = 0, rule_slot = 0;
    enum purpose purpose = purpose::pull;
    request_mode mode = request_mode::connect;
    std::chrono::steady_clock::time_point opened;
    std::uint64_t upload = 0, download = 0;
    bool ech = false;
    bool throttled = false; // by a finding
    std::string host;
    std::uint16_t port = 0;
    ip_address address; // of the upstream
};

class tunnel_list {
public:
    explicit tunnel_list(tunnel_question q) : question_{std::move(q)} {}

    // Counts the tunnel. True when the question matches it and it comes before a listed one, or the list is not full: then call add().
    // Neither function reads host and address.
    bool wants(const listed_tunnel&);
    void add(listed_tunnel);
    void merge(tunnel_list&&); // of another worker, for the same question

    std::vector<listed_tunnel> in_order() &&; // sorted, the first in order first
    std::uint64_t total() const noexcept { return total_; }
    std::uint64_t matching() const noexcept { return matching_; }

private:
    bool before(const listed_tunnel&, const listed_tunnel&) const noexcept;
    auto by_order() const noexcept
    {
        return [this](const listed_tunnel& a, const listed_tunnel& b) { return before(a, b); };
    }

    tunnel_question question_;
    std::vector<listed_tunnel> rows_; // a heap: the last in order is on top
    std::uint64_t total_ = 0, matching_ = 0;
};

// Reads all tunnels of a worker, limits::listed_a_turn at a time so that others can run in between, and passes the list to `done` on the
// worker's thread. Any thread. A worker that has ended never calls `done`.
void list_tunnels(worker&, tunnel_question, std::function<void(tunnel_list)> done);

} // namespace exeat::net
