// Sums of what was served and refused over an audit log, from which a list that serves the same and no more is made. Every table is bounded
// and reports when it was full. One thread.
#pragma once

#include <ops/offline/logged_traffic.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace exeat::ops {

// Refusals of what a client sent inside a tunnel to a host that has an entry: they depend on what that entry allows, not on the list.
constexpr bool about_hello(verdict v) noexcept { return v == verdict::ech || v == verdict::not_tls; }

// One host and port, for one group, through one entry.
struct served_target {
    std::string entry; // as named in the log
    protocol as = protocol::tls;
    std::string host;
    std::uint16_t port = 0;
    std::string group;
    auto operator<=>(const served_target&) const = default;
};

struct served_use {
    std::uint64_t requests = 0, upload = 0, download = 0;
    bool ech = false;
    std::size_t handle = 0;             // of its requests, in moved()
    std::set<ip_address> private_peers; // non-public addresses that it was dialled at; at most limits::addresses_per_rule + 1
};

struct refused_target {
    std::string group;
    std::string host;
    std::uint16_t port = 0;
    approach via = approach::tunnel;
    enum verdict verdict = verdict::not_allowed;
    auto operator<=>(const refused_target&) const = default;
};

class observed_use final : public request_taker {
public:
    std::size_t request(const logged_event&) override;
    void moved(std::size_t request, const logged_event&, std::uint64_t upload, std::uint64_t download) override;

    using served_map = std::map<served_target, served_use>;
    using refused_map = std::map<refused_target, std::uint64_t>;
    const served_map& served() const noexcept { return served_; }
    const served_map& reported() const noexcept { return reported_; } // passed only because the list was in report mode
    const refused_map& refused() const noexcept { return refused_; }
    // The addresses of clients that were served, or that report mode let pass, by group; at most limits::sources_per_group for each.
    using client_map = std::map<std::string, std::set<ip_address>>;
    const client_map& clients() const noexcept { return clients_; }
    const client_map& reported_clients() const noexcept { return reported_clients_; }
    // The service accounts of a group's clients; empty where one of them was no pod.
    std::set<std::string> accounts_of(const std::string& group) const;
    // By entry: the most octets that one client uploaded through it within one clock hour.
    std::map<std::string, std::uint64_t> busiest_hours() const;

    std::uint64_t unattributed() const noexcept { return unattributed_; } // served, but in no group that a list could name
    std::uint64_t beyond() const noexcept { return beyond_; }             // served, but beyond limits::observed_targets
    std::uint64_t forgotten() const noexcept { return forgotten_; }       // refused so rarely that others replaced them
    bool clients_beyond() const noexcept { return clients_beyond_; }
    bool uploads_beyond() const noexcept { return uploads_beyond_; }

private:
    struct hourly {
        std::int64_t hour = 0;
        std::uint64_t now = 0, most = 0;
    };

    std::size_t serve(const logged_event&);
    void refuse(const logged_event&);
    void forget_rarest();
    void note_client(const logged_event&);
    void note_upload(const std::string& entry, const logged_event&, std::uint64_t bytes);

    served_map served_, reported_;
    std::vector<served_map::value_type*> uses_; // by request handle; nodes of a map do not move
    refused_map refused_;
    std::uint64_t floor_ = 0; // the count of a forgotten target was at most this
    client_map clients_, reported_clients_;
    std::map<std::string, std::set<std::string>> accounts_; // by group; the empty one is of clients that are no pods
    std::map<std::pair<std::string, ip_address>, hourly> uploads_;
    std::uint64_t unattributed_ = 0, beyond_ = 0, forgotten_ = 0;
    bool clients_beyond_ = false, uploads_beyond_ = false;
};

} // namespace exeat::ops
