#include <ops/block_signals.hpp>
#include <ops/journal.hpp>

#include <algorithm>
#include <utility>

namespace exeat::ops {

namespace {

void count(std::atomic<std::uint64_t>& cell, std::uint64_t n = 1) noexcept { cell.fetch_add(n, std::memory_order_relaxed); }

} // namespace

journal::journal(std::string path, std::vector<net::audit_ring*> rings, const label_registry& labels, const policy_status& status)
    : rings_{std::move(rings)}, file_{std::move(path)}, line_{labels, status}
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

std::string journal::last_error() const
{
    const std::lock_guard hold{mutex_};
    return error_;
}

journal::stats journal::counts() const noexcept { return {written_, retried_, dropped_, errors_}; }

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

bool journal::turn()
{
    try {
        look_after_file();
        const bool more = gather();
        flush();
        return more;
    } catch (const std::bad_alloc&) { // what could not be written down yet waits in its ring, and until then nothing new begins
        healthy_ = false;
        count(errors_);
        return false;
    }
}

// Formats one event behind the others, or leaves no trace of it.
void journal::add(const auto& event)
{
    const auto before = pending_.size();
    try {
        line_.append(pending_, event, chain_);
    } catch (...) {
        pending_.resize(before);
        throw;
    }
    ++pending_lines_;
}

// No more is coming: write what is there, and give up on time.
void journal::last_turns()
{
    const auto end = clock::now() + limits::audit_stop_time;
    while (clock::now() < end) {
        retry_at_ = {};
        const bool opened = begun_;
        const bool more = turn() || !opened; // it may be possible to open the file only now
        if (begun_ && !more && pending_.empty()) return;
        if (!healthy_) std::this_thread::sleep_for(limits::audit_poll);
    }
    std::uint64_t left = pending_lines_;
    for (auto* ring : rings_)
        for (; ring->front() != nullptr; ring->pop()) ++left;
    const std::lock_guard hold{mutex_};
    count(dropped_, left + notes_.size());
}

bool journal::begin()
{
    if (const auto error = file_.open()) {
        const bool taken = error == std::errc::text_file_busy;
        failed(error, taken ? "another process writes the audit log; give each its own" : "cannot open the audit log");
        return false;
    }
    if (!begun_ && file_.tail()) resume(*file_.tail());
    begun_ = true;
    return true;
}

void journal::resume(const audit_tail& tail)
{
    const auto link = read_link(tail.last_whole);
    chain_.resume(tail.last, link ? link->sequence + 1 : 1);
    line_.after_torn(tail.torn_octets);
}

// Formats what the rings hold, each in its turn; bounded, so that reopen and stop are heard under any load.
bool journal::gather()
{
    if (!begun_) return false;
    bool more = true;
    for (std::size_t round = 0; more && round < limits::audit_ring_records / limits::audit_turn_records; ++round) {
        more = false;
        for (auto* ring : rings_) more |= take(*ring);
        if (pending_.size() >= limits::audit_flush_bytes) flush();
        if (full()) return false;
    }
    take_notes(); // after the rings: "stop" comes behind what it ends
    return more;
}

void journal::take_notes()
{
    const std::lock_guard hold{mutex_};
    for (; !notes_.empty() && !full(); notes_.pop_front()) add(notes_.front());
}

bool journal::take(net::audit_ring& ring)
{
    for (std::size_t n = 0; n < limits::audit_turn_records; ++n) {
        const auto* record = full() ? nullptr : ring.front();
        if (record == nullptr) return false;
        add(*record);
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
    healthy_ = true;
    const std::lock_guard hold{mutex_};
    error_.clear();
}

// The first `octets` of pending_ are in the file: whole lines leave, the rest of a line waits for its other part.
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

void journal::failed(const std::error_code& error, std::string_view what)
{
    healthy_ = false;
    wrote(begun_octets_);
    count(errors_);
    count(retried_, pending_lines_ - late_lines_);
    late_lines_ = pending_lines_;
    retry_at_ = clock::now() + limits::audit_retry;
    const std::lock_guard hold{mutex_};
    error_ = std::string{what} + ": " + error.message();
}

// A file that was moved or deleted under us is left as if told to: lines in it would be seen by nobody.
void journal::look_after_file()
{
    const bool asked = reopen_.exchange(false);
    const auto now = clock::now();
    const bool looked = now >= look_at_ && file_.is_open() && file_.vanished();
    if (now >= look_at_) look_at_ = now + limits::audit_retry;
    if (asked || looked) leave_file();
}

// What can still be written there is; a line that is there in part is taken back and stands whole in the next file.
void journal::leave_file()
{
    flush(true);
    if (file_.is_open()) file_.take_back(begun_octets_);
    begun_octets_ = 0;
    file_.close();
    flush(true);
}

} // namespace exeat::ops
