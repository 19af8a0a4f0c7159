#include <ops/identity/api_watch.hpp>

#include <exeat/limits.hpp>
#include <ops/text/diagnostics.hpp>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <random>

namespace exeat::ops {

namespace {

namespace asio = boost::asio;

std::string percent_encoded(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        if (plain) out += c;
        else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

// From half of it to all of it, so that many that lost one server do not come back at one time.
std::chrono::milliseconds jittered(std::chrono::milliseconds most)
{
    std::random_device source;
    return most / 2 + std::chrono::milliseconds{std::uniform_int_distribution<std::int64_t>{0, most.count() / 2}(source)};
}

} // namespace

api_watch::api_watch(const kubernetes_settings& s, std::string space, taker t, const event_log& log)
    : settings_{s}, take_{std::move(t)}, log_{log}, pods_{std::move(space), [this](const api_pod& p) { leave_out(p); }}
{}

std::string api_watch::subject() const { return pods_.space().empty() ? "all pods" : "the pods of " + pods_.space(); }

asio::awaitable<void> api_watch::run()
{
    asio::steady_timer pause{co_await asio::this_coro::executor};
    std::chrono::milliseconds retry = limits::api_retry_least;
    for (;;) {
        api_failure failure;
        try {
            failure = co_await follow();
        } catch (const std::bad_alloc&) { // what is known may be half changed
            failure.why = "there is no memory for it";
            must_list_ = true;
        }
        const auto lasted = since_ ? clock::now() - *since_ : clock::duration{0};
        if (since_) last_current_ = clock::now();
        since_.reset();
        must_list_ = must_list_ || failure.expired;
        if (lasted >= limits::api_settled) retry = limits::api_retry_least;
        else if (failure.why.empty()) failure.why = "the API server ends the watch as soon as it has begun";
        if (!failure.why.empty()) tell_of(failure.why);
        pause.expires_after(jittered(retry));
        co_await pause.async_wait(asio::use_awaitable);
        retry = std::min<std::chrono::milliseconds>(2 * retry, limits::api_retry_most);
    }
}

asio::awaitable<api_failure> api_watch::follow()
{
    if (must_list_) {
        auto failure = co_await list();
        if (!failure.why.empty()) co_return failure;
        must_list_ = false, listed_ = true;
        take_.listed();
    }
    co_return co_await watch();
}

asio::awaitable<api_failure> api_watch::list()
{
    pods_.begin_list();
    auto failure = co_await list_pages();
    if (failure.why.empty()) pods_.end_list();
    else pods_.begin_list(); // drops what was taken
    co_return failure;
}

asio::awaitable<api_failure> api_watch::list_pages()
{
    api_connection server{settings_.api};
    api_request request{"list", pods_.space(), {}};
    std::string next;
    for (std::size_t pages = 0; pages < limits::api_pages; ++pages) {
        request.query = fmt::format("limit={}", limits::api_page_pods);
        if (!next.empty()) request.query += "&continue=" + percent_encoded(next);
        const auto text = co_await server.fetch(request);
        if (!text) co_return text.error();
        auto page = read_pod_page(*text);
        if (!page) co_return api_failure{fmt::format("the list of {} {}", subject(), page.error())};
        next = page->next;
        const auto why = pods_.take(std::move(*page));
        if (!why.empty()) co_return api_failure{fmt::format("the list of {} {}", subject(), why)};
        if (next.empty()) co_return api_failure{};
    }
    co_return api_failure{fmt::format("the list of {} has more than {} pages", subject(), limits::api_pages)};
}

asio::awaitable<api_failure> api_watch::watch()
{
    const std::chrono::milliseconds silence = std::min<std::chrono::milliseconds>(limits::api_silence, settings_.stale_after * 3 / 4);
    api_connection server{settings_.api};
    const api_request request{"watch", pods_.space(),
                              fmt::format("watch=true&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}",
                                          limits::api_watch_time.count(), percent_encoded(pods_.version()))};
    const auto begun = co_await server.begin_watch(request);
    if (!begun) co_return begun.error();
    since_ = clock::now();
    line_splitter lines{limits::pod_bytes};
    auto heard = clock::now();
    for (;;) {
        const auto piece = co_await server.receive(heard + silence); // of a line that never ends a part is no sign of life
        if (!piece) co_return piece.error();
        if (piece->empty()) co_return api_failure{};
        lines.put(*piece);
        const auto why = take_lines(lines, heard);
        if (why.empty()) continue;
        must_list_ = true;
        co_return api_failure{fmt::format("a line of the watch of {} {}; they are listed again", subject(), why)};
    }
}

// Whatever is wrong with a line, those before it count.
std::string api_watch::take_lines(line_splitter& lines, clock::time_point& heard)
{
    std::string changes, why;
    bool heard_any = false;
    while (const auto line = lines.next()) {
        if (line->find_first_not_of(" \r") == line->npos) continue;
        const auto event = read_api_event(*line);
        if (!event) why = event.error();
        else if (event->is == api_event::kind::expired) why = "says that what happened before is gone (410)";
        else why = pods_.take(*event, changes);
        if (!why.empty()) break;
        heard = clock::now(), heard_any = true;
    }
    if (why.empty() && lines.too_long()) why = fmt::format("is longer than {} MiB", limits::pod_bytes >> 20);
    if (why.empty() && heard_any) tell_of({});
    if (!changes.empty()) take_.changed(changes);
    return why;
}

void api_watch::leave_out(const api_pod& p)
{
    if (left_out_.size() >= limits::pods_left_out || !left_out_.insert(p.uid).second) return;
    log_.say(severity::warning, "a pod is left out of the file",
             {{"pod", as_shown(p.uid)},
              {"namespace", as_shown(p.space)},
              {"why", p.why},
              {"others", left_out_.size() == limits::pods_left_out ? "are left out without a word from here on" : "are logged as well"}});
}

void api_watch::tell_of(const std::string& why)
{
    if (why == failed_with_) return;
    failed_with_ = why;
    if (why.empty()) return log_.say(severity::notice, "the API server is watched again", {{"for", subject()}});
    log_.say(severity::error, "the API server does not say how the pods are; what is known stays in the file, and it is asked again",
             {{"for", subject()}, {"why", why}});
}

} // namespace exeat::ops
