#include <ops/metrics/quarantine_watch.hpp>

#include <exeat/budget/budget_book.hpp> // id_of
#include <exeat/limits.hpp>
#include <net/wall_clock.hpp>
#include <ops/files/watched_file.hpp>
#include <ops/process/until_in_memory.hpp>
#include <ops/state/quarantine_file.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <boost/asio/bind_allocator.hpp>
#include <fmt/format.h>
#include <stdexcept>
#include <utility>

namespace exeat::ops {

namespace {

bool is_among(const quarantines& all, const quarantine& one) { return std::find(all.begin(), all.end(), one) != all.end(); }

const quarantine* of_target(const quarantines& all, const quarantine& one)
{
    const auto at = std::find_if(all.begin(), all.end(), [&](const quarantine& q) { return q.same_target(one); });
    return at == all.end() ? nullptr : &*at;
}

quarantines in_force(const quarantines& all, wall_time now)
{
    quarantines out;
    std::copy_if(all.begin(), all.end(), std::back_inserter(out), [now](const quarantine& q) { return q.until > now; });
    return out;
}

} // namespace

quarantine_watch::quarantine_watch(boost::asio::io_context& io, const std::string& state, std::uint8_t client_prefix, const event_log& log)
    : timer_{io}, path_{state.empty() ? "" : quarantine_path(state)}, client_prefix_{client_prefix}, log_{log}
{
    if (path_.empty()) return;
    read();
    if (!error_.empty()) throw std::runtime_error{"what is quarantined cannot be read: " + error_ + "; fix the file, or remove it"};
    in_force_ = std::make_shared<const quarantines>(in_force(written_, net::wall_earliest()));
}

std::shared_ptr<const quarantines> quarantine_watch::now() const
{
    const std::lock_guard hold{mutex_};
    return in_force_;
}

std::string quarantine_watch::error() const
{
    const std::lock_guard hold{mutex_};
    return error_;
}

void quarantine_watch::begin(taker take, noter note)
{
    take_ = std::move(take);
    note_ = std::move(note);
    if (!path_.empty()) look();
}

bool quarantine_watch::has(std::uint64_t entry) const
{
    return std::ranges::any_of(written_, [&](const auto& q) { return !q.entry.empty() && budget_key::id_of(q.entry) == entry; });
}

void quarantine_watch::pass_on(const heirs_of<std::uint64_t>& entries, const std::map<std::uint64_t, std::string>& names)
{
    if (path_.empty()) return;
    read(); // it may have been written since the last look
    quarantines more;
    for (const auto& q : in_force(written_, net::wall_earliest())) {
        if (q.entry.empty()) continue;
        entries.each(budget_key::id_of(q.entry), [&](std::uint64_t to) {
            const auto name = names.find(to);
            if (name == names.end()) return;
            more.push_back(q);
            more.back().entry = name->second;
        });
    }
    const auto add = [&more](quarantines& all) {
        for (const auto& q : more) { // the one that lasts longer stays
            const auto at = std::find_if(all.begin(), all.end(), [&](const auto& known) { return known.same_target(q); });
            if (at == all.end()) all.push_back(q);
            else if (at->until < q.until) *at = q;
        }
    };
    auto all = written_;
    add(all);
    if (all == written_) return enforce();
    try {
        change_quarantines(path_, add, limits::quarantines + limits::rules);
        read();
    } catch (const std::runtime_error& e) {
        log_.say(severity::error, "what is quarantined cannot be written, so a restart may forget some of it",
                 {{"why", e.what()}, {"entry", more.front().entry}, {"what to do", "quarantine it again by 'exeat quarantine --entry'"}});
        inherited_ = more;
    }
    add(written_);
    enforce();
}

void quarantine_watch::look()
{
    timer_.expires_after(limits::quarantine_interval);
    timer_.async_wait(boost::asio::bind_allocator(memory_.memory(), [this](boost::system::error_code failed) {
        if (!failed) look();
    }));
    try {
        read();
        enforce();
        tell();
    } catch (const std::bad_alloc&) {
        looked_.clear(); // the next look reads the file again
    }
}

// Takes the state of the file before its content, so that a change during the read is found by the next look.
void quarantine_watch::read()
{
    const file_look is{path_};
    if (is.text == looked_) return;
    auto all = read_quarantines(path_);
    if (all)
        for (auto& q : *all)
            if (q.client && !q.client->network.is_v4())
                q.client = ip_prefix::around(q.client->network, std::min(q.client->bits, client_prefix_));
    auto why = all ? std::string{} : all.error();
    if (!all && why != error_ && take_)
        log_.say(severity::error, "what is quarantined cannot be read, and stays as it was",
                 {{"why", why}, {"what to do", "fix the file, or quarantine again after removing it"}});
    if (all && !error_.empty()) log_.say(severity::notice, "what is quarantined is read again");
    if (all) written_ = std::move(*all);
    // What could not be written stays in force.
    for (const auto& q : inherited_)
        if (of_target(written_, q) == nullptr) written_.push_back(q);
    const std::lock_guard hold{mutex_};
    error_ = std::move(why);
    looked_ = is.text;
}

void quarantine_watch::enforce()
{
    auto next = in_force(written_, net::wall_earliest());
    if (next == *now()) return;
    auto shared = std::make_shared<const quarantines>(std::move(next));
    if (take_) until_in_memory([&] { take_(shared); });
    const std::lock_guard hold{mutex_};
    in_force_ = std::move(shared);
}

// Called after the workers have the list, so that a lack of memory for messages does not delay a cut.
void quarantine_watch::tell()
{
    const auto is = now();
    for (const auto& q : *is)
        if (!is_among(told_, q)) say(q, "quarantined", severity::warning);
    for (const auto& q : told_) {
        if (of_target(*is, q) != nullptr) continue; // replaced by another one, which was reported above
        const auto* record = of_target(written_, q);
        if (record != nullptr && record->until == q.until) say(q, "a quarantine has ended", severity::notice);
        else
            say(record == nullptr ? q : *record, record == nullptr ? "a quarantine is gone from its file" : "a quarantine was lifted",
                severity::notice);
    }
    told_ = *is;
}

void quarantine_watch::say(const quarantine& q, const char* what, severity how) const
{
    const auto until = q.until == wall_time{} ? std::string{"now"} : utc(q.until);
    process_event e;
    e.action = process_event::what::quarantine;
    e.subject = q;
    if (q.until == wall_time{}) e.subject->until = net::wall_now(); // it was lifted
    e.text = fmt::format("{}: {} until {}, by {}: {}", what, q.target(), until, q.by.empty() ? "nobody named" : q.by, q.reason);
    log_.say(how, what, {{"what", q.target()}, {"until", until}, {"by", q.by}, {"reason", q.reason}});
    note_(std::move(e));
}

} // namespace exeat::ops
