// The requests of an audit log against another allowlist: what it would let pass that was refused, and refuse that passed. Every request is
// decided again, at one moment that is handed in; only what changes is kept. One thread.
#pragma once

#include <exeat/enum_array.hpp>
#include <exeat/policy.hpp>
#include <ops/offline/logged_traffic.hpp>

#include <array>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace exeat::ops {

struct replay_volume {
    std::uint64_t requests = 0, upload = 0, download = 0;
};

// Requests that one line of the report tells of.
struct replay_row {
    bool opens = false;             // refused, and would pass
    std::string group;              // of the client, as the log calls it
    std::string entry;              // that let it pass, as the log calls it; empty for what was refused
    const rule* by = nullptr;       // of the new list: that lets it pass or comes closest; may be null
    verdict was = verdict::allowed; // as it was said
    verdict is = verdict::allowed;  // as it would be said
    bool reported = false;          // it passed only because the list was in report mode
    std::string host;
    std::uint16_t port = 0;
    approach via = approach::tunnel;
    replay_volume volume;
};

struct replay_result {
    std::vector<replay_row> rows; // entries together, the most requests first
    replay_volume beyond;         // changes beyond limits::replay_rows: counted, not listed
    std::uint64_t newly_allowed = 0, newly_denied = 0, still_allowed = 0, still_refused = 0;
    std::uint64_t by_report_mode = 0; // of still_allowed and newly_allowed: only because the new list is in report mode
    std::uint64_t newly_known = 0;    // of not_replayed: from clients in no group, which the new list has in one
    // Whether they would pass cannot be known from the log: it depends on what could not be read, on DNS, on TLS, on time, or on an address
    // that the log does not name.
    enum_array<verdict, std::uint64_t, verdicts> not_replayed{};

    bool changes() const noexcept { return newly_allowed + newly_denied + newly_known > 0; }
};

class replay final : public request_taker {
public:
    replay(const policy& rules, wall_time now) : rules_{rules}, now_{now} {}

    std::size_t request(const logged_event&) override;
    void moved(std::size_t request, const logged_event&, std::uint64_t upload, std::uint64_t download) override;

    // Refers to the policy.
    replay_result finish();

private:
    using key = std::tuple<bool, std::string, std::string, const rule*, verdict, verdict, bool, std::string, std::uint16_t, approach>;
    struct judgement {
        enum verdict verdict;
        const rule* by;
        bool by_report_mode;
    };

    std::size_t passed(const logged_event&);
    std::size_t refused(const logged_event&);
    std::size_t not_replayed(const logged_event&, verdict);
    judgement judge(const logged_event&, const target&) const;
    bool closed_whatever_the_list_says(const logged_event&, const judgement&) const;
    bool known_from_log(const logged_event&) const;
    std::size_t changed(const logged_event&, const judgement&, bool opens);

    const policy& rules_;
    wall_time now_;
    std::map<key, std::size_t> known_; // → rows
    replay_result result_;
};

} // namespace exeat::ops
