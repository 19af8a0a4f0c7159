#include <ops/identity/keep_pods.hpp>

#include <exeat/limits.hpp>
#include <ops/identity/api_watch.hpp>
#include <ops/identity/pods_writer.hpp>
#include <ops/process/sandbox.hpp>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <openssl/ssl.h>
#include <stdexcept>
#include <utility>
#include <vector>

namespace exeat::ops {

namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

constexpr std::string_view heartbeat = "{\"type\":\"BOOKMARK\",\"object\":{}}\n";
constexpr std::chrono::milliseconds look{250}; // between two looks whether a heartbeat is due

// What the file says comes from one watch or, with `namespaces`, from several. It exists once all of them have listed their pods.
class publication {
public:
    publication(const kubernetes_settings& s, const event_log& log)
        : settings_{s}, log_{log}, writer_{s.pods_file}, interval_{
                                                             std::min<std::chrono::milliseconds>(limits::pods_heartbeat, s.stale_after / 4)}
    {
        auto spaces = s.api.namespaces;
        if (spaces.empty()) spaces.emplace_back();
        for (auto& space : spaces) {
            api_watch::taker taker{[this] { listed(); }, [this](std::string_view lines) { publish(lines); }};
            watches_.push_back(std::make_unique<api_watch>(settings_, std::move(space), std::move(taker), log_));
        }
    }

    void begin(asio::io_context& on)
    {
        const auto rethrow = [](const std::exception_ptr& e) {
            if (e) std::rethrow_exception(e);
        };
        for (const auto& w : watches_) asio::co_spawn(on, w->run(), rethrow);
        asio::co_spawn(on, beat(), rethrow);
    }

private:
    asio::awaitable<void> beat()
    {
        asio::steady_timer pause{co_await asio::this_coro::executor};
        for (;;) {
            pause.expires_after(look);
            co_await pause.async_wait(asio::use_awaitable);
            if (clock::now() - tried_ >= interval_ && all_current()) publish(heartbeat);
        }
    }

    // Whether every watch goes on, and for long enough that what was missed before it has been received.
    bool all_current() const
    {
        return std::all_of(watches_.begin(), watches_.end(),
                           [now = clock::now()](const auto& w) { return w->since() && now - *w->since() >= limits::pods_quiet; });
    }

    // A file that is written counts as current as a whole. So one namespace that cannot be watched stops it in the end, and the file ages;
    // until then events of the others still count.
    bool may_write() const
    {
        return std::all_of(watches_.begin(), watches_.end(), [&, now = clock::now()](const auto& w) {
            return w->listed() && now - w->last_current() < settings_.stale_after / 2;
        });
    }

    void listed()
    {
        behind_ = true;
        publish({});
    }

    void publish(std::string_view lines)
    {
        behind_ = behind_ || !writer_.may_append(lines.size());
        if (!may_write()) {
            behind_ = true;
            return;
        }
        tried_ = clock::now();
        const auto failed = behind_ ? replace() : in_words(writer_.append(lines));
        behind_ = !failed.empty();
        tell_of(failed);
    }

    std::string replace()
    {
        std::size_t known = 0;
        for (const auto& w : watches_) known += w->pods().size();
        if (known > limits::pods) return fmt::format("there are {} pods, and {} can be known", known, limits::pods);
        std::string all;
        for (const auto& w : watches_) w->pods().append_to(all);
        all += heartbeat; // without it the file is not whole
        auto failed = in_words(writer_.replace(all));
        if (failed.empty() && !std::exchange(begun_, true))
            log_.say(severity::notice, "the pods are in the file, and watched",
                     {{"file", settings_.pods_file}, {"pods", std::to_string(known)}});
        return failed;
    }

    static std::string in_words(std::error_code e) { return e ? e.message() : std::string{}; }

    void tell_of(const std::string& why)
    {
        if (why == failed_with_) return;
        failed_with_ = why;
        if (why.empty()) return log_.say(severity::notice, "the file of pods is written again", {{"file", settings_.pods_file}});
        log_.say(severity::error, "the file of pods cannot be written; it is tried again", {{"file", settings_.pods_file}, {"why", why}});
    }

    const kubernetes_settings& settings_;
    const event_log& log_;
    pods_writer writer_;
    const std::chrono::milliseconds interval_;
    std::vector<std::unique_ptr<api_watch>> watches_;
    bool begun_ = false, behind_ = true; // the file was there; it lacks something, and must be replaced
    clock::time_point tried_{};
    std::string failed_with_;
};

// What Kubernetes tells each container of where its API server is.
void find_api_server(api_server_settings& s)
{
    if (!s.host.empty()) return;
    const char *host = std::getenv("KUBERNETES_SERVICE_HOST"), *port = std::getenv("KUBERNETES_SERVICE_PORT");
    const std::string_view number = port == nullptr ? "" : port;
    const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), s.port);
    if (host == nullptr || *host == '\0' || failed != std::errc{} || end != number.data() + number.size() || s.port == 0)
        throw std::runtime_error{"this is not a pod of Kubernetes (KUBERNETES_SERVICE_HOST and _PORT are missing); write 'server' in "
                                 "[kubernetes]"};
    s.host = host;
}

open_paths paths_of(const kubernetes_settings& k)
{
    open_paths out;
    for (const auto* path : {"/dev/urandom", "/proc/sys/vm", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf",
                             "/etc/gai.conf", "/etc/services"})
        out.read.emplace_back(path);
    add_ways_to(k.api.ca, out.read);
    add_ways_to(k.api.token, out.read);
    add_ways_to(k.pods_file, out.write);
    return out;
}

} // namespace

void keep_pods(const config& c, const event_log& log)
{
    if (c.kubernetes.pods_file.empty()) throw std::runtime_error{"the configuration has no [kubernetes], so nobody needs to know the pods"};
    auto settings = c.kubernetes;
    find_api_server(settings.api);
    const auto lock = lock_pods_file(settings.pods_file);
    std::signal(SIGPIPE, SIG_IGN);
    ::OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, nullptr); // reads files
    asio::io_context io{1};
    asio::signal_set ends{io, SIGTERM, SIGINT};
    ends.async_wait([&io](const boost::system::error_code& stopped, int) {
        if (!stopped) io.stop();
    });
    sandbox box{c, log};
    box.restrict_files(paths_of(settings));
    box.restrict_system_calls();
    box.tell();
    publication pods{settings, log};
    pods.begin(io);
    io.run();
}

} // namespace exeat::ops
