#include <ops/reload.hpp>

#include <net/wall_clock.hpp>
#include <ops/journal.hpp>

#include <boost/asio/post.hpp>
#include <chrono>

namespace exeat::ops {

namespace {
std::string first_error(const std::vector<problem>& all)
{
    for (const auto& p : all)
        if (p.how == problem::weight::error) return p.to_string();
    return {};
}
} // namespace

reload::reload(boost::asio::io_context& io, std::string allowlist, const surroundings& with, std::vector<std::string> files, taker take)
    : io_{io}, path_{std::move(allowlist)}, with_{with}, take_{std::move(take)}, watch_{io, [this] { now("file changed"); }}
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
    loading_ = true;
    boost::asio::post(loader_, [this, cause = std::string{cause}] {
        auto loaded = load_allowlist(path_, with_.labels, net::wall_now());
        boost::asio::post(io_, [this, loaded = std::move(loaded), cause]() mutable { finished(std::move(loaded), std::move(cause)); });
    });
}

void reload::finished(loaded_allowlist loaded, std::string cause)
{
    loading_ = false;
    watch_.files(std::move(loaded.files));
    const auto before = with_.status.now().rules;
    if (!loaded.rules) {
        const auto why = first_error(loaded.problems);
        with_.status.failed(why);
        note(false, why, before->settings());
        with_.log.say(severity::error, "reload failed, the old allowlist stays", {{"cause", cause}, {"first error", why}});
    } else if (loaded.rules->settings().sha256 == before->settings().sha256) {
        with_.status.unchanged(net::wall_now());
    } else {
        const auto& s = loaded.rules->settings();
        with_.status.took_effect(loaded.rules, net::wall_now());
        take_(loaded.rules, with_.status.now().generation);
        note(true, cause, s);
        with_.log.say(
            severity::notice, "allowlist reloaded",
            {{"cause", cause}, {"serial", std::to_string(s.serial)}, {"sha256", s.sha256}, {"mode", s.report ? "report" : "enforce"}});
    }
    if (again_) now("changed again meanwhile");
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
