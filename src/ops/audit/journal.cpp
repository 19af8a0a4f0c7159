#include <ops/audit/journal.hpp>
#include <ops/process/block_signals.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace exeat::ops {

namespace {

void count(std::atomic<std::uint64_t>& cell, std::uint64_t n = 1) noexcept { cell.fetch_add(n, std::memory_order_relaxed); }

} // namespace

journal::journal(std::string path, std::vector<net::audit_ring*> rings, const label_registry& labels, const policy_status& status,
                 detection* watch, std::uint8_t client_prefix, const audit_rotation& rotation, std::unique_ptr<audit_checkpoints> points,
                 const workload_names* workloads)
    : rings_{std::move(rings)}, file_{std::move(path)}, line_{labels, status, client_prefix, workloads},
      detection_{watch}, rotation_{rotation}, points_{std::move(points)}
{
    healthy_ = begin();
    thread_ = std::jthread{[this](std::stop_token stopped) { run(std::move(stopped)); }};
}

journal::~journal() { stop(); }

void journal::stop()
{
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

void journal::note(process_event e)
{
    const std::lock_guard hold{mutex_};
    if (notes_.size() < limits::audit_notes) notes_.push_back(std::move(e));
    else count(dropped_);
    wake_.notify_one();
}

void journal::reopen()
{
    reopen_ = true;
    wake_.notify_one();
}

void journal::is_away()
{
    healthy_ = false;
    const std::lock_guard hold{mutex_};
    error_ = "the audit log's disk does not answer: nothing was written for some time";
}

std::string journal::last_error() const
{
    const std::lock_guard hold{mutex_};
    return error_;
}

journal::stats journal::counts() const noexcept { return {written_, retried_, dropped_, errors_, withheld_}; }

void journal::run(std::stop_token stopped)
{
    block_signals();
    while (!stopped.stop_requested()) {
        if (turn()) continue;
        std::unique_lock hold{mutex_};
        wake_.wait_for(hold, stopped, limits::audit_poll, [this] { return !notes_.empty() || reopen_; });
    }
    last_turns();
}

bool journal::turn(bool at_end)
{
    count(signs_);
    try {
        look_after_file();
        look_after_space(at_end);
        const bool more = gather();
        if (const auto why = points_ ? points_->due(clock::now()) : std::nullopt) checkpoint(*why);
        flush();
        return more;
    } catch (const std::bad_alloc&) { // unwritten records wait in their rings, and nothing new is let out until then
        healthy_ = false;
        count(errors_);
        return false;
    }
}

// A record that is in the log must leave its ring, or it would be logged twice. If memory is short, a finding may lose its line, but never
// its count.
void journal::watch(const net::audit_record& r)
{
    if (detection_ == nullptr) return;
    try {
        anomalies_.clear();
        detection_->see(r, anomalies_);
        for (const auto& a : anomalies_) add(a);
    } catch (const std::bad_alloc&) {
        count(errors_);
    }
}

// No more events arrive: writes what is left, and gives up after limits::audit_stop_time.
void journal::last_turns()
{
    const auto end = clock::now() + limits::audit_stop_time;
    while (clock::now() < end) {
        retry_at_ = {};
        const bool opened = begun_;
        const bool more = turn(true) || !opened; // the file may be available only now
        if (!more && is_at_rest()) return;
        if (!more && begun_ && pending_.empty() && withheld_since_ == 0) checkpoint(checkpoint_reason::end);
        if (!healthy_) std::this_thread::sleep_for(limits::audit_poll);
    }
    std::uint64_t left = pending_lines_;
    for (auto* ring : rings_)
        for (; ring->front() != nullptr; ring->pop()) ++left;
    const std::lock_guard hold{mutex_};
    count(dropped_, left + notes_.size());
}

// Formats the records of each ring in turn. Bounded, so that reopen and stop are handled under any load.
bool journal::gather()
{
    if (!begun_) return false;
    bool more = true;
    for (std::size_t round = 0; more && round < limits::audit_ring_records / limits::audit_turn_records; ++round) {
        more = false;
        for (auto* ring : rings_) more |= take(*ring);
        if (file_is_full()) more |= next_file();
        if (pending_.size() >= limits::audit_flush_bytes) flush();
        if (full()) return false;
    }
    take_notes(); // after the rings: "stop" follows the events before it
    return more;
}

void journal::take_notes()
{
    const std::lock_guard hold{mutex_};
    for (; !notes_.empty() && !full(); notes_.pop_front()) add(notes_.front());
}

// Writes the notes up to "start" before the first record, because "start" precedes all that it begins.
void journal::take_start()
{
    const std::lock_guard hold{mutex_};
    const auto is_start = [](const process_event& e) { return e.action == process_event::what::start; };
    const auto start = std::find_if(notes_.begin(), notes_.end(), is_start);
    if (start == notes_.end()) return;
    for (auto left = start - notes_.begin() + 1; left > 0 && !full(); --left, notes_.pop_front()) add(notes_.front());
}

bool journal::take(net::audit_ring& ring)
{
    for (std::size_t n = 0; n < limits::audit_turn_records; ++n) {
        const auto* record = full() || file_is_full() ? nullptr : ring.front();
        if (record == nullptr) return false;
        if (!std::exchange(heard_, true)) take_start();
        if (withholds(*record)) withheld_since_ += record->stands_for, count(withheld_, record->stands_for);
        else add(*record);
        watch(*record);
        ring.pop();
    }
    return true;
}

void journal::flush(bool now)
{
    if (!now && clock::now() < retry_at_) return;
    if (!begin()) return;
    while (begun_octets_ < pending_.size()) {
        std::size_t written = 0;
        const auto error = file_.write_some(std::string_view{pending_}.substr(begun_octets_), written);
        if (error) return failed(error, "cannot write the audit log");
        if (written == 0) return failed(std::make_error_code(std::errc::timed_out), "cannot write the audit log");
        begun_octets_ += written;
    }
    wrote(begun_octets_);
    file_octets_ = file_.size();
    if (points_ && points_->waits())
        if (const auto error = points_->settle(file_)) return failed(error, "cannot write the audit log to the disk");
    if (const auto error = probe()) return failed(error, "the disk of the audit log takes nothing");
    healthy_ = true;
    no_room_ = false;
    const std::lock_guard hold{mutex_};
    error_.clear();
}

// The first `octets` of pending_ are in the file: removes the whole lines, and keeps a line that is written only in part.
void journal::wrote(std::size_t octets)
{
    const auto last = std::string_view{pending_}.substr(0, octets).rfind('\n');
    const auto whole = last == std::string_view::npos ? 0 : last + 1;
    const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(whole);
    const auto lines = end == pending_.end() ? pending_lines_ : static_cast<std::uint64_t>(std::count(pending_.begin(), end, '\n'));
    count(written_, lines);
    pending_lines_ -= lines;
    late_lines_ -= std::min(late_lines_, lines);
    pending_.erase(0, whole);
    begun_octets_ = octets - whole;
}

void journal::failed(const std::error_code& error, std::string_view what, std::string_view advice)
{
    healthy_ = false;
    no_room_ = error == std::errc::no_space_on_device || error.value() == EDQUOT;
    wrote(begun_octets_);
    count(errors_);
    count(retried_, pending_lines_ - late_lines_);
    late_lines_ = pending_lines_;
    retry_at_ = clock::now() + limits::audit_retry;
    const std::lock_guard hold{mutex_};
    error_ = std::string{what} + ": " + error.message() + std::string{advice};
}

// The events that lose their lines when the volume is nearly full: a refused client can repeat its requests without limit, and allowed
// requests must still have room.
bool journal::withholds(const net::audit_record& r) const noexcept
{
    return low_ && (r.action == net::audit_action::deny || r.action == net::audit_action::progress);
}

void journal::look_after_space(bool at_end)
{
    const auto now = clock::now();
    if (now >= space_at_) low_ = file_.low_on_space(), space_at_ = now + limits::audit_retry;
    if (withheld_since_ == 0 || full() || (low_ && !at_end)) return;
    process_event e;
    e.action = process_event::what::withheld;
    e.ok = false;
    e.text = "the volume of this log was nearly full; these denials and reports of progress have no line";
    e.stands_for = withheld_since_;
    add(e);
    withheld_since_ = 0;
}

} // namespace exeat::ops
