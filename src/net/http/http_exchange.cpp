#include <net/http/http_exchange.hpp>

#include <net/http/http_heads.hpp>
#include <net/send.hpp>
#include <net/sockets/socket.hpp>
#include <net/stage_context.hpp>

#include <cassert>
#include <cerrno>

namespace exeat::net {

http_exchange::http_exchange(tunnel& t, const request_head& r)
    : t_{t}, method_{r.method}, http_1_0_{r.minor == 0}, keep_client_{r.keep_alive}, request_{r.body, true}, to_upstream_{
                                                                                                                 head_for_upstream(r)}
{}

task<ending> http_exchange::run()
{
    const auto idle = t_.home.settings().idle_timeout;
    t_.set_deadline(idle);
    for (auto seen = t_.bill->bytes();;) {
        if (t_.cut) co_return t_.cut->as;
        const bool more_up = step_up();
        const bool more_down = !over_ && step_down();
        if (over_) co_return why_;
        if (finished()) co_return ending::finished;
        if (t_.client_side.failed) co_return ending::client_reset; // not noticed by the steps while its upload waits
        if (const auto now = t_.bill->bytes(); now != seen) seen = now, t_.set_deadline(idle);
        if (t_.deadline_passed()) co_return ending::idle_timeout;
        if (t_.home.due.at(t_.slot).report) t_.bill->progress();
        if (more_up || more_down) t_.wake.yield();
        co_await t_.event();
    }
}

bool http_exchange::upstream_reusable() const noexcept
{
    if (!finished() || !keep_upstream_ || upstream_reset_) return false;
    return request_.done() && to_upstream_.empty() && from_upstream_.empty();
}

bool http_exchange::client_reusable() const noexcept
{
    assert(!keep_client_ || !answered_ || request_.done()); // as the answer's head told the client
    return finished() && keep_client_ && request_.done();
}

bool http_exchange::lost(ending why) noexcept
{
    over_ = true;
    why_ = why;
    return false;
}

bool http_exchange::spent() noexcept
{
    const auto how = t_.bill->spent();
    refused_ = how.before;
    return lost(how.as);
}

// Sends the bytes for the upstream. True when all of them are sent.
bool http_exchange::flush_up()
{
    while (!to_upstream_.empty()) {
        if (!t_.upstream.writable) return false;
        const auto s = send_upstream(*t_.bill, t_.upstream, to_upstream_);
        to_upstream_.erase(0, s.bytes);
        switch (s.what) {
        case sent::how::wrote: break;
        case sent::how::waits: t_.set_deadline(t_.home.settings().idle_timeout); return false; // waiting is not idle
        case sent::how::spent: return spent();
        case sent::how::failed:
            // An upstream that stops reading may still have answered: step_down() reads its answer. EPIPE means that it ended its answer
            // first (FIN); after any other error the socket reports an end of stream where there was a reset.
            upstream_reset_ |= s.error != EPIPE;
            t_.upstream.writable = false;
            return false;
        }
    }
    return true;
}

// The same for the bytes for the client.
bool http_exchange::flush_down()
{
    while (!to_client_.empty()) {
        if (!t_.client_side.writable) return false;
        const auto r = write_some(t_.client_side, to_client_);
        if (r.failed()) return lost(ending::client_reset);
        begun_ |= r.bytes > 0;
        to_client_.erase(0, r.bytes);
    }
    return true;
}

void http_exchange::take_request(std::string_view bytes)
{
    const auto used = request_.take(bytes, to_upstream_);
    if (request_.malformed()) {
        refused_ = verdict::chunk;
        lost(ending::refused_inside);
    }
    t_.held.append(bytes.substr(used)); // belongs to the next request
}

// Client to upstream. True when it stopped only to let other tunnels run.
bool http_exchange::step_up()
{
    for (std::size_t turn = 0; turn < limits::turn_bytes;) {
        if (!flush_up() || over_) return false;
        if (request_.done()) return false;
        if (!t_.held.empty()) {
            const auto early = std::exchange(t_.held, {});
            turn += early.size();
            take_request(early);
            continue;
        }
        if (!t_.client_side.readable) return false;
        const auto got = read_some(t_.client_side, t_.home.scratch());
        if (got.would_block()) return false;
        if (got.failed()) return lost(ending::client_reset);
        if (got.ended()) return lost(ending::client_closed); // in the middle of its body
        turn += got.bytes;
        take_request({t_.home.scratch().data(), got.bytes});
    }
    return true;
}

void http_exchange::read_answer_head()
{
    const auto scan = scan_response_head(from_upstream_, method_, known_);
    known_ = std::holds_alternative<need_more>(scan) ? from_upstream_.size() : 0;
    if (known_ > 0) return;
    const auto* head = std::get_if<response_head>(&scan);
    const bool interim = head && head->status < 200;
    if (!head || (interim && ++interim_ > limits::interim_responses)) {
        refused_ = verdict::upstream_malformed;
        lost(ending::upstream_malformed);
        return;
    }
    const bool chunks = head->body.how == body_framing::kind::chunked;
    if (!interim) {
        answered_ = true;
        // An HTTP/1.0 server may not have recognised where a chunked request ends (RFC 9112 section 6.1).
        keep_upstream_ = head->keep_alive && head->minor >= 1 && head->body.how != body_framing::kind::until_close;
        keep_client_ = keep_client_ && head->body.how != body_framing::kind::until_close && !(chunks && http_1_0_) && request_.done();
        answer_ = http_body{head->body, chunks && !http_1_0_};
    }
    if (!interim || !http_1_0_) to_client_ += head_for_client(*head, chunks && !http_1_0_, !keep_client_);
    from_upstream_.erase(0, head->bytes);
}

// Processes the bytes from the upstream: heads, then the body.
void http_exchange::take_answer()
{
    for (std::size_t before = ~std::size_t{0}; !over_ && !answered_ && before != from_upstream_.size() && !from_upstream_.empty();) {
        before = from_upstream_.size();
        read_answer_head();
    }
    if (over_ || !answered_) return;
    const auto used = answer_.take(from_upstream_, to_client_);
    from_upstream_.erase(0, used);
    if (answer_.malformed()) {
        refused_ = verdict::upstream_malformed;
        lost(ending::upstream_malformed);
        return;
    }
    if (answer_.done() && !from_upstream_.empty()) keep_upstream_ = false; // it sent more than the answer
}

bool http_exchange::step_down()
{
    for (std::size_t turn = 0; turn < limits::turn_bytes;) {
        if (!flush_down() || over_) return false;
        if (answered_ && answer_.done()) return false;
        if (!t_.upstream.readable) return false;
        const auto got = read_some(t_.upstream, t_.home.scratch());
        if (got.would_block()) return false;
        if (got.failed() || got.ended()) {
            const bool reset = got.failed() || upstream_reset_;
            if (!reset && answered_ && answer_.end_of_input()) return false;
            refused_ = answered_ ? verdict::upstream_malformed : verdict::connect_failure;
            return lost(reset ? ending::upstream_reset : ending::upstream_malformed);
        }
        turn += got.bytes;
        heard_ = true;
        t_.bill->downloaded(got.bytes);
        from_upstream_.append(t_.home.scratch().data(), got.bytes);
        take_answer();
        if (over_) return false;
    }
    return true;
}

} // namespace exeat::net
