#include <ops/reload.hpp>

#include <exeat/limits.hpp>
#include <net/wall_clock.hpp>
#include <ops/audit/journal.hpp>
#include <ops/policy_event.hpp>
#include <ops/process/until_in_memory.hpp>
#include <ops/reload_log.hpp>

#include <algorithm>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <fmt/format.h>
#include <utility>

namespace exeat::ops {

namespace {
std::string first_error(const std::vector<problem>& all)
{
    for (const auto& p : all)
        if (p.how == problem::weight::error) return p.to_string();
    return {};
}

constexpr std::chrono::minutes unsettled_time{5};      // how long files may keep changing while they are read
constexpr std::chrono::milliseconds release_time{100}; // interval of the checks whether workers still hold a former list

bool is_same(const policy_settings& a, const policy_settings& b) { return a.sha256 == b.sha256 && a.approved_by == b.approved_by; }

} // namespace

reload::reload(boost::asio::io_context& io, policy_gate& gate, const surroundings& with, const loaded_allowlist& first, taker take)
    : io_{io}, gate_{gate}, with_{with}, take_{std::move(take)},
      watch_{io, [this] { now("file changed"); },
             [this](const std::string& path) {
                 with_.status.waits(path + " is still being written");
                 with_.log.say(severity::warning, "a file is still being written, the old list stays", {{"file", path}});
             }},
      in_force_{first.files}, held_{io}, approval_{io}, release_{io}
{
    watch_.files(in_force_);
    take_approvals(first);
    // An error at the start counts only if it remains after the grace period for files and manifest.
    if (first.approvals.from_copy) boost::asio::post(io_, [this] { now("started from the stored copy"); });
}

reload::~reload() { stop(); }

void reload::stop()
{
    watch_.stop();
    held_.cancel();
    approval_.cancel();
    release_.cancel();
    loader_.stop();
    loader_.join();
}

void reload::at_once(std::string_view cause)
{
    if (with_.settings.changed())
        with_.log.say(severity::warning, "the settings have changed since the start, and a reload reads only the lists",
                      {{"file", with_.settings.path}, {"what to do", "restart exeat; 'exeat check --config' says whether it would start"}});
    at_once_ = true;
    now(cause);
}

void reload::now(std::string_view cause)
{
    again_ = loading_;
    if (loading_) return;
    with_.manager.reloading();
    auto e = std::make_unique<errand>(errand{{}, std::string{cause}}); // here, where a lack of memory is no end
    boost::asio::post(loader_, [this, e = std::move(e)]() mutable {
        e->what = load_in_memory();
        boost::asio::post(io_, boost::asio::bind_allocator(way_back_.memory(), [this, e = std::move(e)]() mutable {
                              finished(std::move(e->what), std::move(e->cause));
                          }));
    });
    loading_ = true;
}

// A list that does not fit into memory counts as a list that cannot be loaded.
reload::loaded reload::load_in_memory()
try {
    return load();
} catch (const std::bad_alloc&) {
    return {};
}

reload::loaded reload::load()
try {
    loaded out{gate_.load(with_.labels, net::wall_now()), {}};
    if (out.rules) out.inheritance = with_.accounts.to(*out.rules, net::wall_now());
    return out;
} catch (const std::bad_alloc&) {
    throw;
} catch (const std::exception& e) {
    loaded none;
    none.problems.push_back({"the allowlist", 0, 0, problem::weight::error, e.what()});
    return none;
}

void reload::finished(loaded what, std::string cause)
{
    loading_ = false;
    try {
        take(std::move(what), cause);
    } catch (const std::bad_alloc&) {
        watch_.forget(); // the next poll tries again
        throw;
    }
    if (again_) now("changed again meanwhile");
    else with_.manager.ready(serving_status(with_.status.now()));
}

void reload::take(loaded loaded, const std::string& cause)
{
    auto was = with_.status.now();
    const bool other = loaded.rules && !is_same(loaded.rules->settings(), was.rules->settings());
    const bool verified = loaded.rules && !loaded.rules->settings().approved_by.empty(); // by the digests of all files
    const bool refused = !loaded.rules || loaded.approvals.from_copy;
    if (!loaded.files.empty()) take_approvals(loaded);
    if (refused && other) put_in_force(loaded, cause); // a revocation takes effect without waiting for the files
    if (verified && !refused) unsettled_since_.reset();
    else if (read_again(loaded)) return;
    if (loaded.files.empty()) watch_.forget();
    else watch_.files(loaded.files);
    const bool meant = again_ ? false : std::exchange(at_once_, false); // a request during this load is served by the next one
    if (refused && !meant && wait_for_approval(loaded)) return;
    if (!refused && other && !meant && hold_back(loaded)) return;
    held_since_.clear();
    held_.cancel();
    approval_.cancel();
    if (!refused) unapproved_since_.reset();
    if (refused) {
        refuse(loaded, cause);
    } else if (!other) {
        with_.status.unchanged(net::wall_now());
        in_force_ = std::move(loaded.files);
        if (meant || !was.last_error.empty() || !was.waiting.empty()) // a request or an error is still unanswered
            log_unchanged(with_.log, cause, was.rules->settings());
    } else {
        const auto* before = in_force_.empty() ? nullptr : &in_force_.front();
        warn_of_serial(with_.log, loaded, was.rules->settings(), before);
        put_in_force(loaded, cause);
        in_force_ = std::move(loaded.files);
    }
}

void reload::put_in_force(loaded& loaded, const std::string& cause)
{
    auto former = with_.status.now().rules;
    const auto& s = loaded.rules->settings();
    with_.status.took_effect(loaded.rules, net::wall_now());
    with_.accounts.take(std::move(loaded.inheritance), with_.status.now().generation);
    hand_out(loaded.rules);
    note(true, cause, s);
    log_reloaded(with_.log, *loaded.rules, cause, loaded.approvals.from_copy);
    release(std::move(former));
}

void reload::refuse(const loaded_allowlist& loaded, const std::string& cause)
{
    const auto why = loaded.problems.empty() ? std::string{"out of memory"} : first_error(loaded.problems);
    with_.status.failed(why, loaded.why);
    note(false, why, with_.status.now().rules->settings());
    with_.log.say(severity::error, "reload failed, the old allowlist stays", {{"cause", cause}, {"first error", why}});
}

// True while files and manifest on disk may still come to agree: they may be copied in any order.
bool reload::wait_for_approval(const loaded_allowlist& loaded)
{
    if (loaded.why != load_refusal::unapproved) return false;
    const auto now = clock::now();
    if (!unapproved_since_) unapproved_since_ = now;
    const auto due = *unapproved_since_ + limits::approval_grace;
    if (now >= due) return false;
    with_.status.waits(first_error(loaded.problems));
    look_later(approval_, approval_memory_, due, "files and manifest did not agree in time");
    return true;
}

void reload::take_approvals(const loaded_allowlist& loaded)
{
    log_ignored(with_.log, loaded.approvals.ignored, told_ignored_);
    told_ignored_ = loaded.approvals.ignored;
    if (const auto& why = loaded.approvals.copy_error; why != told_copy_error_) {
        if (!why.empty()) with_.log.say(severity::error, "a restart could not serve the list from its stored copy", {{"why", why}});
        told_copy_error_ = why;
    }
    with_.status.approved(loaded.approvals);
}

// True when files were written while they were read. The watch calls again once their writers have finished.
bool reload::read_again(loaded_allowlist& loaded)
{
    const watched_file* first = nullptr;
    for (auto& f : loaded.files)
        if (watch_.unsettled(f)) {
            if (first == nullptr) first = &f;
            f.forget();
        }
    const auto now = clock::now();
    if (first != nullptr && !unsettled_since_) unsettled_since_ = now;
    if (first == nullptr || now - *unsettled_since_ >= unsettled_time) {
        unsettled_since_.reset();
        return false;
    }
    with_.log.say(severity::notice, "a file changed while it was read, it is read again", {{"file", first->path}});
    watch_.files(std::move(loaded.files));
    return true;
}

// Freeing a million names takes milliseconds, so the loader's thread drops the last reference to the former list, not a worker.
void reload::release(std::shared_ptr<const policy> former)
{
    former_.push_back(std::move(former));
    release_former();
}

void reload::release_former()
{
    std::erase_if(former_, [this](auto& former) {
        if (former.use_count() > 1) return false;
        boost::asio::post(loader_, [ends = std::move(former)] {});
        return true;
    });
    with_.status.still_held(former_.size());
    if (former_.empty()) return;
    release_.expires_after(release_time);
    release_.async_wait(boost::asio::bind_allocator(release_memory_.memory(), [this](boost::system::error_code failed) {
        if (!failed) release_former();
    }));
}

// True while the list must wait for its writer, for the end of hold_time, or for an explicit request. A file's time starts when the file is
// first seen truncated, whatever else changes meanwhile.
bool reload::hold_back(const loaded_allowlist& loaded)
{
    const bool approved = !loaded.rules->settings().approved_by.empty(); // by the digests of all files
    const auto now = clock::now();
    const auto known = std::exchange(held_since_, {});
    auto due = now;
    for (const auto& f : loaded.files) {
        if (approved || !is_part_of_former(f)) continue;
        const auto since = known.find(f.path);
        const auto& began = held_since_.emplace(f.path, since == known.end() ? now : since->second).first->second;
        due = std::max(due, began + hold_time);
        if (since == known.end()) log_hold(with_.log, f);
    }
    if (due == now) return false;
    with_.status.waits(held_since_.begin()->first + " is only the beginning of what it was; it is taken after " +
                       std::to_string(hold_time.count()) + " s, or at once by SIGHUP");
    look_later(held_, held_memory_, due, "held back long enough");
    return true;
}

bool reload::is_part_of_former(const watched_file& f) const
{
    const auto was = std::find_if(in_force_.begin(), in_force_.end(), [&](const watched_file& b) { return b.path == f.path; });
    return was != in_force_.end() && f.shortened(*was);
}

void reload::look_later(boost::asio::steady_timer& timer, net::shared_kept_memory& memory, clock::time_point due, std::string_view cause)
{
    timer.expires_at(due);
    timer.async_wait(boost::asio::bind_allocator(memory.memory(), [this, cause](boost::system::error_code failed) {
        if (failed) return;
        try {
            now(cause);
        } catch (const std::bad_alloc&) {
            watch_.forget(); // the next poll tries again
            throw;
        }
    }));
}

// Gives the list to every worker, and retries while there is not enough memory: no worker may keep the old list permanently.
void reload::hand_out(const std::shared_ptr<const policy>& rules)
{
    const auto generation = with_.status.now().generation;
    until_in_memory([&] { take_(rules, generation); });
}

void reload::note(bool ok, std::string text, const policy_settings& s)
{
    auto e = policy_event(process_event::what::reload, s, gate_);
    e.ok = ok;
    e.text = std::move(text);
    with_.audit.note(std::move(e));
}

} // namespace exeat::ops
