#include <ops/reload.hpp>

#include <exeat/limits.hpp>
#include <net/wall_clock.hpp>
#include <ops/journal.hpp>
#include <ops/readiness.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <fmt/format.h>
#include <thread>

namespace exeat::ops {

namespace {
std::string first_error(const std::vector<problem>& all)
{
    for (const auto& p : all)
        if (p.how == problem::weight::error) return p.to_string();
    return {};
}

bool is_same(const policy_settings& a, const policy_settings& b) { return a.sha256 == b.sha256 && a.approved_by == b.approved_by; }

} // namespace

reload::reload(boost::asio::io_context& io, policy_gate& gate, const surroundings& with, std::vector<watched_file> files, taker take)
    : io_{io}, gate_{gate}, with_{with}, take_{std::move(take)}, watch_{io, [this] { now("file changed"); }}
{
    watch_.files(std::move(files));
}

reload::~reload() { stop(); }

void reload::stop()
{
    watch_.stop();
    loader_.stop();
    loader_.join();
}

void reload::now(std::string_view cause)
{
    again_ = loading_;
    if (loading_) return;
    with_.manager.reloading();
    boost::asio::post(loader_, [this, cause = std::string{cause}]() mutable {
        auto loaded = load_in_memory();
        boost::asio::post(
            io_, boost::asio::bind_allocator(way_back_.memory(), [this, loaded = std::move(loaded), cause = std::move(cause)]() mutable {
                finished(std::move(loaded), std::move(cause));
            }));
    });
    loading_ = true;
}

// A list for which there is no memory is a list that cannot be taken.
loaded_allowlist reload::load_in_memory()
{
    try {
        return gate_.load(with_.labels, net::wall_now());
    } catch (const std::bad_alloc&) {
        return {};
    }
}

void reload::finished(loaded_allowlist loaded, std::string cause)
{
    loading_ = false;
    try {
        take(std::move(loaded), cause);
    } catch (const std::bad_alloc&) {
        watch_.forget(); // the next poll begins again
        throw;
    }
    if (again_) now("changed again meanwhile");
    else with_.manager.ready(serving_status(with_.status.now()));
}

void reload::take(loaded_allowlist loaded, const std::string& cause)
{
    if (loaded.files.empty()) watch_.forget();
    else watch_.files(std::move(loaded.files));
    const auto before = with_.status.now().rules;
    if (!loaded.rules) {
        const auto why = loaded.problems.empty() ? std::string{"out of memory"} : first_error(loaded.problems);
        with_.status.failed(why, loaded.why);
        note(false, why, before->settings());
        with_.log.say(severity::error, "reload failed, the old allowlist stays", {{"cause", cause}, {"first error", why}});
    } else if (is_same(loaded.rules->settings(), before->settings())) {
        with_.status.unchanged(net::wall_now());
    } else {
        const auto& s = loaded.rules->settings();
        with_.status.took_effect(loaded.rules, net::wall_now());
        hand_out(loaded.rules);
        note(true, cause, s);
        with_.log.say(severity::notice, "allowlist reloaded",
                      {{"cause", cause},
                       {"serial", std::to_string(s.serial)},
                       {"sha256", s.sha256},
                       {"mode", loaded.rules->reporting(net::wall_now()) ? "report " + reporting_text(*loaded.rules) : "enforce"},
                       {"approved by", fmt::format("{}", fmt::join(s.approved_by, " "))}});
    }
}

// To every worker or, while there is no memory for that, again: none may go on with the old list for good.
void reload::hand_out(const std::shared_ptr<const policy>& rules)
{
    for (const auto generation = with_.status.now().generation;;) {
        try {
            return take_(rules, generation);
        } catch (const std::bad_alloc&) {
            std::this_thread::sleep_for(limits::accept_pause);
        }
    }
}

void reload::note(bool ok, std::string text, const policy_settings& s)
{
    process_event e;
    e.action = process_event::what::reload;
    e.ok = ok;
    e.text = std::move(text);
    e.sha256 = s.sha256;
    e.serial = s.serial;
    with_.audit.note(std::move(e));
}

} // namespace exeat::ops
