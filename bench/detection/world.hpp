// A cluster on a virtual clock: clients that do honest work, by day and night, and one of them that may steal, all held to the same budgets
// and seen by the same detectors as in exeat. Several replicas share nothing, as in life: each has budgets and detectors of its own, and
// only Prometheus sees them together. Everything follows from the seed. One thread.
#pragma once

#include <exeat/budget/budget.hpp>
#include <exeat/detect/bank.hpp>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace exeat::bench {

using detect::moment;

inline constexpr moment minute{60}, hour{3'600}, day{86'400};
inline constexpr std::size_t clients = 10;

// What is found of a client.
struct sighting {
    enum class by : std::uint8_t { detector, alert, budget }; // of which one does the work of `which`; a budget cuts
    moment at{0};
    std::size_t client = 0;
    detect::detector which = detect::detector::drip;
    enum by by = by::detector;
};

class world {
public:
    explicit world(std::uint64_t seed, std::size_t replicas = 1);

    void work(std::size_t client); // one minute of honest work
    void next_minute() { now_ += minute; }
    moment now() const noexcept { return now_; }

    // Moves bytes through one tunnel within this minute, which may be open already and stay so; how much of the upload got out. A tunnel of
    // one minute goes through any replica, one that stays open through another one each hour.
    std::uint64_t transfer(std::size_t client, purpose, std::string_view host, std::uint64_t up, std::uint64_t down, bool closes = true,
                           bool opens = true);
    // All clients end, and others begin the same work at addresses that were never seen.
    void replace_clients();
    // Of the detectors' state, as it is written every limits::detector_interval.
    void write_state();
    // New processes. Their detectors know what was written last, and their budgets go on; or there is no state, and they know nothing.
    void restart(bool with_state);

    std::vector<sighting>& sightings() noexcept { return sightings_; }

private:
    struct worker {
        int kind = 0; // trains, evaluates, develops
        double busy = 1;
        std::uint64_t pulling = 0; // octets still to come of a large download
    };
    struct replica {
        std::unique_ptr<detect::detector_bank> bank;
        std::string state; // empty: none was written
        std::array<std::array<std::unique_ptr<upload_account>, purposes>, clients> accounts;
    };
    double draw() { return std::uniform_real_distribution<>{}(random_); }
    double about(double median, double spread) { return median * std::exp(spread * std::normal_distribution<>{}(random_)); }
    bool happens(double times_a_day) { return draw() < times_a_day / 1'440; }
    double activity(const worker&) const;
    void packages(std::size_t client);
    void models(std::size_t client, worker&);
    void inference(std::size_t client, double calls_an_hour);
    void telemetry(std::size_t client);
    void git(std::size_t client);
    void begin(replica&, std::optional<budget_minutes> forgot);
    void open_accounts(replica&, std::optional<budget_minutes> forgot);
    replica& way_of(std::size_t client, bool closes, bool opens);
    void see(replica&, const detect::flow_event&, std::size_t client);
    struct per_client_and_purpose {
        per_window<std::uint64_t> counted{}, sent{};
    };
    per_client_and_purpose over_replicas(std::size_t client, purpose);
    double peers_today(std::size_t client, purpose);
    void look_across(std::size_t client, purpose);

    const std::uint64_t seed_;
    std::mt19937_64 random_; // of honest work alone, so that it is the same beside any theft
    std::mt19937_64 ways_;   // through the replicas
    moment now_{1'700'000'000 / 60 * 60};
    struct alerts { // that Prometheus raises
        bool over_budget = false, unusual = false;
    };
    std::vector<replica> replicas_;
    std::array<std::array<alerts, purposes>, clients> firing_{};
    std::vector<worker> workers_;
    std::vector<sighting> sightings_;
    detect::findings found_;
    std::uint64_t tunnels_ = 0;
    std::size_t generation_ = 0; // of clients
    moment clients_began_ = now_;
};

} // namespace exeat::bench
