// Replays the requests of an audit log against another allowlist: which refused requests it would allow, and which allowed ones it would
// deny. Every request is decided again, as of one given time; only changes are kept. One thread.
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

// The requests of one line of the report.
struct replay_row {
    bool opens = false;             // was refused and would pass
    std::string group;              // of the client, as named in the log
    std::string entry;              // that let it pass, as named in the log; empty when it was refused
    const rule* by = nullptr;       // of the new list: allows it or comes closest; may be null
    verdict was = verdict::allowed; // in the log
    verdict is = verdict::allowed;  // under the new list
    bool reported = false;          // it passed only because the list was in report mode
    std::string host;
    std::uint16_t port = 0;
    approach via = approach::tunnel;
    replay_volume volume;
};

struct replay_result {
    std::vector<replay_row> rows; // grouped by entry, the most requests first
    replay_volume beyond;         // changes beyond limits::replay_rows: counted, not listed
    std::uint64_t newly_allowed = 0, newly_denied = 0, still_allowed = 0, still_refused = 0;
    std::uint64_t by_report_mode = 0; // of still_allowed and newly_allowed: only because the new list is in report mode
    std::uint64_t newly_known = 0;    // of not_replayed: from clients in no group that the new list has in one
    // Requests that cannot be decided from the log: the result depends on what could not be read, on DNS, on TLS, on time, or on an address
    // that the log does not contain.
    enum_array<verdict, std::uint64_t, verdicts> not_replayed{};

    bool changes() const noexcept { return newly_allowed + newly_denied + newly_known > 0; }
};

class replay final : public request_taker {
public:
    replay(const policy& rules, wall_time now) : rules_{rules}, now_{now} {}

    std::size_t request(const logged_event&) override;
    void moved(std::size_t request, const logged_event&, std::uint64_t upload, std::uint64_t download) override;

    // The result refers to the policy.
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
    group_set groups_of(const logged_event&) const;
    bool closed_whatever_the_list_says(const logged_event&, const judgement&) const;
    bool known_from_log(const logged_event&) const;
    std::size_t changed(const logged_event&, const judgement&, bool opens);

    const policy& rules_;
    wall_time now_;
    std::map<key, std::size_t> known_; // → index in rows
    replay_result result_;
};

} // namespace exeat::ops
