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
        const auto r = pipe_->drain(to_);
        if (r.failed() || r.ended()) return state::to_failed;
        count_written(r.bytes, w.book);
    }
    if (pipe_ && (!bulk_ || ended_ || !from_.readable)) w.pipes.give_back(std::move(*pipe_)), pipe_.reset();
    while (!kept_.empty()) {
        if (!to_.writable) return state::waiting;
        const auto n = put(std::string_view{kept_}.substr(sent_), w.book);
        if (!n) return state::to_failed;
        sent_ += *n;
        if (sent_ == kept_.size()) let_go(kept_), sent_ = 0;
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
    const std::string_view bytes{w.scratch.data(), got.bytes};
    const auto n = put(bytes, w.book);
    if (!n) return state::to_failed;
    if (*n < bytes.size()) kept_ = bytes.substr(*n);
    return std::nullopt;
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

std::optional<std::size_t> pump::put(std::string_view bytes, account& book)
{
    const auto r = write_some(to_, bytes);
    if (r.failed()) return std::nullopt;
    count_written(r.bytes, book);
    return r.bytes;
}

void pump::count_read(std::size_t bytes, account& book) const noexcept
{
    if (way_ == towards::client && bytes > 0) book.downloaded(bytes);
}

void pump::count_written(std::size_t bytes, account& book) const noexcept
{
    if (way_ == towards::upstream && bytes > 0) book.uploaded(bytes);
}

} // namespace exeat::net
