#include <net/pump.hpp>

#include <exeat/limits.hpp>

#include <cassert>

namespace exeat::net {

pump::state pump::step(const ways& w, bool last)
{
    for (std::size_t moved = 0; moved < limits::turn_bytes;) {
        if (done_) return state::done;
        if (const auto stop = send_kept(w)) return *stop;
        if (ended_) {
            if (!last) finish_writing(to_);
            done_ = true;
            return state::done;
        }
        if (!from_.readable) return state::waiting;
        const bool by_pipe = bulk_ && !from_.urgent;
        if (const auto stop = by_pipe ? splice(w, moved) : copy(w, moved)) return *stop;
    }
    return state::more;
}

std::optional<pump::state> pump::send_kept(const ways& w)
{
    while (pipe_ && pipe_->held > 0) {
        if (!to_.writable) return state::waiting;
        const auto stop = stop_for(drain(w.bill).what);
        if (stop) return stop;
    }
    if (pipe_ && (!bulk_ || ended_ || !from_.readable)) w.pipes.give_back(std::move(*pipe_)), pipe_.reset();
    while (kept_) {
        if (!to_.writable) return state::waiting;
        const auto s = put(std::string_view{kept_->all}.substr(kept_->sent), w.bill);
        kept_->sent += s.bytes;
        assert(kept_->sent <= kept_->all.size());
        if (kept_->sent == kept_->all.size()) kept_.reset();
        const auto stop = stop_for(s.what);
        if (stop) return stop;
    }
    return std::nullopt;
}

std::optional<pump::state> pump::copy(const ways& w, std::size_t& moved)
{
    const auto got = read_some(from_, w.scratch);
    if (got.failed()) return state::from_failed;
    if (got.would_block()) return state::waiting;
    ended_ = got.ended();
    if (ended_) return std::nullopt;
    moved += got.bytes;
    bulk_ = got.bytes == w.scratch.size();
    count_read(got.bytes, w.bill);
    const std::string_view bytes{w.scratch.data(), got.bytes};
    const auto s = put(bytes, w.bill);
    if (s.bytes < bytes.size()) keep(std::string{bytes.substr(s.bytes)});
    return stop_for(s.what);
}

std::optional<pump::state> pump::splice(const ways& w, std::size_t& moved)
{
    if (!pipe_) pipe_ = w.pipes.take();
    if (!pipe_) {
        bulk_ = false; // no pipe is available: copy, and try again when the next read fills the buffer
        return std::nullopt;
    }
    const auto got = pipe_->fill(from_);
    if (got.failed()) return state::from_failed;
    ended_ = got.ended();
    moved += got.bytes;
    count_read(got.bytes, w.bill);
    if (got.moved() && got.bytes < limits::bulk_bytes) bulk_ = false;
    return std::nullopt; // send_kept() drains the pipe, and returns it when the socket has no more
}

sent pump::put(std::string_view bytes, account& bill) noexcept
{
    if (way_ == towards::upstream) return send_upstream(bill, to_, bytes);
    const auto r = write_some(to_, bytes);
    return {r.failed() ? sent::how::failed : sent::how::wrote, r.bytes};
}

sent pump::drain(account& bill) noexcept
{
    if (way_ == towards::upstream) return send_upstream(bill, to_, *pipe_);
    const auto r = pipe_->drain(to_, pipe_->held);
    return {r.failed() || r.ended() ? sent::how::failed : sent::how::wrote, r.bytes};
}

std::optional<pump::state> pump::stop_for(sent::how what) noexcept
{
    switch (what) {
    case sent::how::wrote: break;
    case sent::how::waits: return state::held;
    case sent::how::spent: return state::spent;
    case sent::how::failed: return state::to_failed;
    }
    return std::nullopt;
}

void pump::count_read(std::size_t bytes, account& bill) const noexcept
{
    if (way_ == towards::client && bytes > 0) bill.downloaded(bytes);
}

} // namespace exeat::net
