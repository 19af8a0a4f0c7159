#include <ops/detector_actions.hpp>

#include <net/random_seed.hpp>

#include <boost/asio/post.hpp>

namespace exeat::ops {

using detect::detector;

detector_actions::detector_actions(boost::asio::io_context& io, const detector_settings& s, const workers& w)
    : io_{io}, settings_{s}, workers_{w}, new_hosts_{net::random_seed(), s.than.first_seen_bytes}
{}

void detector_actions::listen_to(lookout& l)
{
    l.on_action([this](const detect::finding& f, detector_action what) { boost::asio::post(io_, [this, f, what] { act_on(f, what); }); });
    if (settings_.actions[static_cast<std::size_t>(detector::first_seen)] == detector_action::observe) return;
    l.on_new_host(
        [this](const auto& client, auto host, std::uint64_t hour_up, detect::moment still) { meet(client, host, hour_up, still); });
}

// A tunnel that opens finds its budget by itself; those that are open are told.
void detector_actions::meet(const ip_address& client, std::string_view host, std::uint64_t hour_up, detect::moment still)
{
    const auto now = net::budget_now();
    if (!new_hosts_.hold(client, host, hour_up, now, now + std::chrono::ceil<budget_minutes>(still))) return;
    boost::asio::post(io_, [this, client] {
        for (const auto& w : workers_) w->hold_back(client);
    });
}

void detector_actions::act_on(const detect::finding& f, detector_action what)
{
    const auto entry = f.which == detector::denied_burst ? 0 : f.entry; // who probes, probes everywhere
    if (what == detector_action::cut) {
        for (const auto& w : workers_) w->shut_out(f.client, entry);
        return;
    }
    const auto next = std::make_shared<throttled_clients>(*throttled_);
    const auto& rate = settings_.rates[static_cast<std::size_t>(f.which)];
    if (!hold(*next, f.client, entry, rate, std::chrono::steady_clock::now().time_since_epoch())) return;
    throttled_ = next;
    for (const auto& w : workers_) w->adopt(throttled_);
}

} // namespace exeat::ops
