#include <net/pump.hpp>

#include <exeat/limits.hpp>

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
        if (const auto stop = bulk_ ? splice(w, moved) : copy(w, moved)) return *stop;
    }
    return state::more;
}

std::optional<pump::state> pump::send_kept(const ways& w)
{
    while (pipe_ && pipe_->held > 0) {
        if (!to_.writable) return state::waiting;
        if (const auto stop = drain(w.book)) return stop;
    }
    if (pipe_ && (!bulk_ || ended_ || !from_.readable)) w.pipes.give_back(std::move(*pipe_)), pipe_.reset();
    while (!kept_.empty()) {
        if (!to_.writable) return state::waiting;
        auto rest = std::string_view{kept_}.substr(sent_);
        const auto stop = put(rest, w.book);
        sent_ = kept_.size() - rest.size();
        if (rest.empty()) let_go(kept_), sent_ = 0;
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
    count_read(got.bytes, w.book);
    std::string_view bytes{w.scratch.data(), got.bytes};
    const auto stop = put(bytes, w.book);
    if (!bytes.empty()) kept_ = bytes;
    return stop;
}

std::optional<pump::state> pump::splice(const ways& w, std::size_t& moved)
{
    if (!pipe_) pipe_ = w.pipes.take();
    if (!pipe_) {
        bulk_ = false; // no pipe to be had: copy, and ask again when the next read fills the buffer
        return std::nullopt;
    }
    const auto got = pipe_->fill(from_);
    if (got.failed()) return state::from_failed;
    ended_ = got.ended();
    moved += got.bytes;
    count_read(got.bytes, w.book);
    if (got.moved() && got.bytes < limits::bulk_bytes) bulk_ = false;
    return std::nullopt; // send_kept() drains the pipe, and gives it back when the socket has no more
}

std::optional<pump::state> pump::put(std::string_view& bytes, account& book)
{
    const auto leave = leave_for(bytes.size(), book);
    if (leave == 0) return without_leave(book);
    const auto r = write_some(to_, bytes.substr(0, leave));
    bytes.remove_prefix(r.bytes);
    return written(r, leave, book);
}

std::optional<pump::state> pump::drain(account& book)
{
    const auto leave = leave_for(pipe_->held, book);
    if (leave == 0) return without_leave(book);
    return written(pipe_->drain(to_, leave), leave, book);
}

std::optional<pump::state> pump::written(io_result r, std::size_t leave, account& book) const noexcept
{
    if (way_ == towards::upstream) book.uploaded(r.bytes, leave);
    if (r.failed() || r.ended()) return state::to_failed;
    return std::nullopt;
}

std::size_t pump::leave_for(std::size_t bytes, account& book) const noexcept
{
    return way_ == towards::upstream ? book.may_upload(bytes) : bytes;
}

pump::state pump::without_leave(const account& book) const noexcept { return book.waits() ? state::waiting : state::spent; }

void pump::count_read(std::size_t bytes, account& book) const noexcept
{
    if (way_ == towards::client && bytes > 0) book.downloaded(bytes);
}

} // namespace exeat::net
