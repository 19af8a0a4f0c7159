// All detectors behind one call: traffic events in, findings out, and a score for each client that shows which to investigate first. Every
// event costs O(1); all tables are bounded. Pure: the events carry the time. One thread.
#pragma once

#include <exeat/detect/chunks.hpp>
#include <exeat/detect/denials.hpp>
#include <exeat/detect/direction.hpp>
#include <exeat/detect/drip.hpp>
#include <exeat/detect/host_history.hpp>
#include <exeat/detect/names.hpp>

#include <string>
#include <string_view>

namespace exeat::detect {

class detector_bank {
public:
    // The seed keys the hashes.
    detector_bank(std::uint64_t seed, const thresholds&);
    detector_bank(const detector_bank&) = delete; // the detectors refer to its thresholds

    // Appends the findings, in the order of detection. Throws std::bad_alloc.
    void see(const flow_event&, findings&);

    void pass_on(const heirs_of<std::uint64_t>& entries); // copies the state of an entry to its heirs; throws std::bad_alloc

    double score(const ip_address& client, moment now) const;
    const std::optional<host_history::meeting>& met() const noexcept { return host_history_.met(); } // for the last event
    std::optional<host_history::meeting> would_meet(const ip_address& client, std::string_view host, moment now) const
    {
        return host_history_.would_meet(client, host, now);
    }

    // Appends one part of the state, so that it outlives the process. Each part is consistent in itself; they are written one after the
    // other.
    static constexpr std::size_t parts = 7;
    void write(std::size_t part, std::string& to);
    // Reads all parts into a bank that has seen no event and has the same seed. `back` is subtracted from every time in the state. False if
    // the bytes are not such a state; the bank must not be used then.
    bool read(std::string_view, moment back = moment{0});

    struct table {
        std::string_view name;
        std::size_t entries, capacity;
        std::uint64_t evictions;
    };
    std::array<table, 7> tables() const;

private:
    struct record {
        double score = 0;
        moment at{0};
        repeat_guard told_budget, told_pull;
        template <class Archive> void fields(Archive& a) { a(score, at, told_budget, told_pull); }
    };

    void budget(const flow_event&, findings&);
    void long_tunnel(const flow_event&, findings&);
    void remember(const finding&, moment now);
    template <class Archive> void part(std::size_t, Archive&);

    const thresholds than_;
    drip_watch drip_;
    direction_watch direction_;
    host_history host_history_;
    denial_watch denials_;
    name_watch names_;
    chunk_watch chunks_;
    bounded_table<client_key, record, client_key_hash> clients_;
    bounded_table<client_key, bool, client_key_hash> long_tunnels_; // those that were reported; tunnels end with the process
};

} // namespace exeat::detect
