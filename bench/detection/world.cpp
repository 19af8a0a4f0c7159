#include "world.hpp"

#include <exeat/limits.hpp>
#include <exeat/rule.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>

namespace exeat::bench {

namespace {

ip_address address(std::size_t client) { return ip_address::v4(0x0a2a0000 + static_cast<std::uint32_t>(client)); }

budget_minutes minutes(moment at) { return std::chrono::floor<std::chrono::minutes>(at); }

constexpr auto day_window = static_cast<std::size_t>(budget_window::day), week_window = static_cast<std::size_t>(budget_window::week);

std::uint64_t octets(double n) { return static_cast<std::uint64_t>(std::max(0.0, n)); }

} // namespace

world::world(std::uint64_t seed, std::size_t replicas) : seed_{seed}, random_{seed}, ways_{seed}, replicas_(replicas)
{
    for (auto& r : replicas_) begin(r, std::nullopt);
    for (std::size_t c = 0; c < clients; ++c) workers_.push_back({static_cast<int>(random_() % 3), about(1, 0.5), 0});
}

void world::begin(replica& r, std::optional<budget_minutes> forgot)
{
    r.bank = std::make_unique<detect::detector_bank>(seed_ + 1, detect::thresholds{});
    open_accounts(r, forgot);
}

// `forgot`: as upload_account has it.
void world::open_accounts(replica& r, std::optional<budget_minutes> forgot)
{
    for (auto& of_client : r.accounts)
        for (std::size_t p = 0; p < purposes; ++p)
            of_client[p] = std::make_unique<upload_account>(default_upload(static_cast<purpose>(p)), minutes(now_), forgot);
}

void world::replace_clients()
{
    ++generation_;
    clients_began_ = now_;
    for (auto& r : replicas_) open_accounts(r, std::nullopt);
    for (auto& w : workers_) w.pulling = 0;
    firing_ = {};
}

void world::write_state()
{
    for (auto& r : replicas_) {
        r.state.clear();
        for (std::size_t part = 0; part < detect::detector_bank::parts; ++part) r.bank->write(part, r.state);
    }
}

void world::restart(bool with_state)
{
    for (auto& r : replicas_) {
        if (!with_state) {
            begin(r, minutes(now_));
            continue;
        }
        r.bank = std::make_unique<detect::detector_bank>(seed_ + 1, detect::thresholds{});
        if (!r.bank->read(r.state)) throw std::logic_error{"the detectors cannot read what they have written"};
    }
}

world::replica& world::way_of(std::size_t client, bool closes, bool opens)
{
    if (replicas_.size() == 1) return replicas_[0];
    const bool short_one = opens && closes;
    return replicas_[(short_one ? ways_() : client + static_cast<std::size_t>(now_ / hour)) % replicas_.size()];
}

void world::see(replica& at, const detect::flow_event& e, std::size_t client)
{
    found_.clear();
    at.bank->see(e, found_);
    for (const auto& f : found_) sightings_.push_back({now_, client, f.which});
}

world::per_client_and_purpose world::over_replicas(std::size_t client, purpose as)
{
    per_client_and_purpose out;
    for (auto& r : replicas_) {
        const auto one = r.accounts[client][static_cast<std::size_t>(as)]->look(minutes(now_));
        for (std::size_t w = 0; w < budget_windows; ++w) out.counted[w] += one.counted[w], out.sent[w] += one.sent[w];
    }
    return out;
}

// The mean of what the others that have series of their own have sent today.
double world::peers_today(std::size_t client, purpose as)
{
    double sum = 0;
    int count = 0;
    for (std::size_t c = 0; c < clients; ++c)
        if (const auto today = over_replicas(c, as).sent[day_window]; c != client && today >= limits::client_series_bytes)
            sum += static_cast<double>(today), ++count;
    return sum / std::max(count, 1);
}

// The alerts ExeatUploadOverBudget and ExeatUploadUnusual of conf/prometheus, which add up over replicas: when they begin to fire.
void world::look_across(std::size_t client, purpose as)
{
    const auto all = over_replicas(client, as);
    const auto& most = default_upload(as).most;
    const auto today = static_cast<double>(all.sent[day_window]), before = static_cast<double>(all.sent[week_window]) - today;
    const alerts now{!std::equal(all.counted.begin(), all.counted.end(), most.begin(), std::less_equal<>{}),
                     today > 70e6 + 2 * before / 6 &&
                         (now_ - clients_began_ >= 6 * day || (replicas_.size() > 1 && today > 70e6 + 2 * peers_today(client, as)))};
    auto& was = firing_[client][static_cast<std::size_t>(as)];
    if (now.over_budget && !was.over_budget) sightings_.push_back({now_, client, detect::detector::upload_budget, sighting::by::alert});
    if (now.unusual && !was.unusual) sightings_.push_back({now_, client, detect::detector::drip, sighting::by::alert});
    was = now;
}

std::uint64_t world::transfer(std::size_t client, purpose as, std::string_view host, std::uint64_t up, std::uint64_t down, bool closes,
                              bool opens)
{
    auto& way = way_of(client, closes, opens);
    auto& account = *way.accounts[client][static_cast<std::size_t>(as)];
    detect::flow_event e;
    e.at = now_;
    e.client = address(generation_ * clients + client);
    e.entry = {1 + static_cast<std::uint64_t>(as), 1 + static_cast<std::uint32_t>(as)};
    e.purpose = as;
    e.host = host;
    e.wildcard = host.ends_with(".models.test");
    e.id = ++tunnels_;
    if (opens) {
        see(way, e, client);
        account.tunnel_opened();
    }
    account.downloaded(down);
    const auto out = account.take(up, minutes(now_));
    e.step = closes ? detect::flow_step::close : detect::flow_step::progress;
    e.up = e.tunnel_up = out;
    e.down = down;
    e.over_budget = out < up;
    if (e.over_budget)
        sightings_.push_back(
            {now_, client, as == purpose::pull ? detect::detector::pull_upload : detect::detector::upload_budget, sighting::by::budget});
    see(way, e, client);
    look_across(client, as);
    return out;
}

// Those who train go on by night and at weekends; the others hardly.
double world::activity(const worker& w) const
{
    const auto of_day = static_cast<double>(now_.count() % day.count()) / static_cast<double>(hour.count());
    const auto weekday = now_ / day % 7;
    if (w.kind == 0) return w.busy;
    if (weekday >= 5) return 0.1 * w.busy;
    return (of_day > 8 && of_day < 19 ? 1.0 : 0.15) * w.busy;
}

void world::work(std::size_t client)
{
    auto& w = workers_[client];
    const auto busy = activity(w);
    if (happens(12 * busy)) packages(client);
    models(client, w);
    if (w.kind == 0) telemetry(client);
    if (w.kind == 1) inference(client, 400 * busy);
    if (w.kind == 2) inference(client, 30 * busy);
    if (w.kind == 2 && happens(15 * busy)) git(client);
}

// pip and apt: some dozen tunnels, a request and a handshake each; now and then all of it twice, for a retry.
void world::packages(std::size_t client)
{
    const auto files = 3 + octets(about(12, 0.8)), again = draw() < 0.1 ? std::uint64_t{2} : std::uint64_t{1};
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(files * again, 120); ++i)
        transfer(client, purpose::pull, i % 3 == 0 ? "index.test" : "files.test", octets(about(3'500, 0.4)), octets(about(900e3, 1.2)));
}

// Weights and data: 0.1 to 200 GB in files of some GB at up to 1 Gb/s, a few at once.
void world::models(std::size_t client, worker& w)
{
    if (w.pulling == 0 && happens((w.kind == 0 ? 1.5 : 0.5) * w.busy))
        w.pulling = octets(std::min(200e9, std::max(0.1e9, about(6e9, 1.5))));
    if (w.pulling == 0) return;
    const auto now = std::min<std::uint64_t>(w.pulling, octets(about(3.5e9, 0.4)));
    w.pulling -= now;
    const auto host = "repo" + std::to_string(random_() % 2) + ".models.test";
    transfer(client, purpose::pull, host, octets(about(6'000, 0.5)), now);
}

void world::inference(std::size_t client, double calls_an_hour)
{
    const auto calls = std::poisson_distribution<std::uint64_t>{std::max(1e-9, calls_an_hour / 60)}(random_);
    if (calls == 0) return;
    double up = 0, down = 0;
    for (std::uint64_t i = 0; i < calls; ++i) up += about(6'000, 1.0), down += about(12'000, 0.8);
    transfer(client, purpose::api, "inference.test", octets(up), octets(down));
}

// Metrics every minute, and an artifact now and then.
void world::telemetry(std::size_t client)
{
    transfer(client, purpose::telemetry, "track.test", octets(about(8'000, 0.6)), 1'500, now_ % hour == moment{0}, now_ % hour == minute);
    if (happens(1.5)) transfer(client, purpose::telemetry, "track.test", octets(std::min(40e6, about(8e6, 0.8))), 20'000);
}

void world::git(std::size_t client) { transfer(client, purpose::api, "git.test", octets(about(20e3, 1.2)), octets(about(200e3, 1.5))); }

} // namespace exeat::bench
