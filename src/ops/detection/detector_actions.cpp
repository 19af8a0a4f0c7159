#include <ops/detection/detector_actions.hpp>

#include <net/random_seed.hpp>
#include <ops/process/until_in_memory.hpp>

#include <exeat/limits.hpp>

#include <boost/asio/post.hpp>

namespace exeat::ops {

using detect::detector;

detector_actions::detector_actions(boost::asio::io_context& io, const detector_settings& s, const workers& w)
    : io_{io}, settings_{s}, workers_{w}, new_hosts_{net::random_seed(), s.than.first_seen_bytes}
{}

void detector_actions::listen_to(lookout& l)
{
    l.on_action([this](const detect::finding& f, detector_action what) { boost::asio::post(io_, [this, f, what] { act_on(f, what); }); });
}

net::first_contact detector_actions::first_contact_by(const lookout& l) const
{
    if (settings_.actions[static_cast<std::size_t>(detector::first_seen)] == detector_action::observe) return {};
    return [&l](const ip_address& client, std::string_view host) { return l.first_contact(client, host); };
}

void detector_actions::act_on(const detect::finding& f, detector_action what)
{
    const auto entry = f.which == detector::denied_burst ? 0 : f.entry.id; // who probes, probes everywhere
    if (what == detector_action::cut) {                                    // not told twice, so it must reach every worker
        for (const auto& w : workers_) until_in_memory([&] { w->shut_out(f.client, entry); });
        return;
    }
    const auto next = std::make_shared<throttled_clients>(*throttled_);
    const auto& rate = settings_.rates[static_cast<std::size_t>(f.which)];
    if (!hold(*next, f.client, entry, rate, std::chrono::steady_clock::now().time_since_epoch())) return;
    throttled_ = next;
    for (const auto& w : workers_) until_in_memory([&] { w->adopt(throttled_); });
}

} // namespace exeat::ops
