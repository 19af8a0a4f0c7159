#include <ops/detection/detector_actions.hpp>

#include <net/random_seed.hpp>
#include <ops/process/until_in_memory.hpp>

#include <exeat/limits.hpp>

#include <algorithm>
#include <boost/asio/post.hpp>

namespace exeat::ops {

using detect::detector;

detector_actions::detector_actions(boost::asio::io_context& io, const detector_settings& s, const workers& w)
    : io_{io}, settings_{s}, workers_{w}, new_hosts_{net::random_seed(), s.than.first_seen_bytes}
{}

void detector_actions::listen_to(detection& l)
{
    l.on_action([this](const detect::finding& f, detector_action what) { boost::asio::post(io_, [this, f, what] { act_on(f, what); }); });
}

net::first_contact detector_actions::first_contact_by(const detection& l) const
{
    if (settings_.actions[detector::first_seen] == detector_action::observe) return {};
    return [&l](const ip_address& client, std::string_view host) { return l.first_contact(client, host); };
}

void detector_actions::pass_on(const heirs_of<std::uint64_t>& entries, std::uint64_t generation)
{
    const auto shared = std::make_shared<const heirs_of<std::uint64_t>>(entries);
    const auto throttled = std::make_shared<throttled_clients>(*throttled_);
    const bool changed = exeat::pass_on(*throttled, entries);
    heirs_.add(generation, entries);
    const auto now = std::chrono::steady_clock::now();
    if (now - passed_on_ > limits::shut_out_time) heirs_since_ = generation - 1;
    passed_on_ = now;
    if (changed) throttled_ = throttled;
    for (const auto& w : workers_) {
        until_in_memory([&] { w->pass_on(shared); });
        if (changed) until_in_memory([&] { w->adopt(throttled_); });
    }
}

// A client that probes does so everywhere, so the action applies to all entries: 0.
std::vector<std::uint64_t> detector_actions::entries_of(const detect::finding& f)
{
    if (f.which == detector::denied_burst) return {0};
    std::vector<std::uint64_t> out{f.entry.id};
    if (std::chrono::steady_clock::now() - passed_on_ > limits::shut_out_time) return out;
    const auto heirs = heirs_.since(heirs_since_, f.entry.id, f.client);
    out.insert(out.end(), heirs.begin(), heirs.end());
    return out;
}

std::vector<ip_address> detector_actions::clients_of(const detect::finding& f)
{
    std::vector<ip_address> out{f.client};
    if (f.identity == ip_address{}) return out;
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(suspects_, [&](const auto& s) { return s.second.last + limits::throttle_time < now; });
    if (!suspects_.contains(f.identity) && suspects_.size() == limits::shut_outs) return out;
    auto& of = suspects_[f.identity];
    of.last = now;
    if (of.pods.size() < limits::suspect_pods && std::find(of.pods.begin(), of.pods.end(), f.client) == of.pods.end())
        of.pods.push_back(f.client);
    if (of.pods.size() == limits::suspect_pods) out.push_back(f.identity);
    return out;
}

void detector_actions::act_on(const detect::finding& f, detector_action what)
{
    for (const auto& client : clients_of(f))
        for (const auto entry : entries_of(f)) {
            if (what != detector_action::cut) hold_at(entry, client, f);
            else
                for (const auto& w : workers_) until_in_memory([&] { w->shut_out(client, entry); }); // sent only once, so it must reach all
        }
}

void detector_actions::hold_at(std::uint64_t entry, const ip_address& client, const detect::finding& f)
{
    const auto next = std::make_shared<throttled_clients>(*throttled_);
    const auto& rate = settings_.rates[f.which];
    if (!hold(*next, client, entry, rate, std::chrono::steady_clock::now().time_since_epoch())) return;
    throttled_ = next;
    for (const auto& w : workers_) until_in_memory([&] { w->adopt(throttled_); });
}

} // namespace exeat::ops
