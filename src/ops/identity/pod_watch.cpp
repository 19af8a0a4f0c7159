#include <ops/identity/pod_watch.hpp>

#include <exeat/limits.hpp>
#include <net/random_seed.hpp>
#include <ops/files/watched_file.hpp>
#include <ops/process/block_signals.hpp>

#include <sys/prctl.h>

namespace exeat::ops {

pod_watch::pod_watch(const kubernetes_settings& s, const event_log& log)
    : settings_{s}, log_{log}, file_{s.pods_file}, index_{net::random_seed()},
      now_{std::make_shared<const pod_snapshot>(pod_snapshot{index_, pod_source::away})}, fresh_at_{clock::now().time_since_epoch().count()}
{
    if (has_source()) look();
}

pod_watch::~pod_watch() { stop(); }

void pod_watch::begin(taker t)
{
    take_ = std::move(t);
    if (!has_source()) return;
    thread_ = std::jthread{[this](std::stop_token stopped) {
        block_signals();
        ::prctl(PR_SET_NAME, "pods");
        run(std::move(stopped));
    }};
}

void pod_watch::stop()
{
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
}

void pod_watch::run(std::stop_token stopped)
{
    while (!stopped.stop_requested()) {
        try {
            look();
        } catch (const std::bad_alloc&) {
            table_.reset(); // it may be half changed
            file_.forget();
        }
        std::unique_lock hold{sleep_lock_};
        sleep_.wait_for(hold, stopped, limits::pods_file_look, [] { return false; });
    }
}

// A file says how things are at the time when it was written, so one that is written again with the same content is news as well.
void pod_watch::look()
{
    const file_look seen{settings_.pods_file};
    if (seen.text != looked_ || !table_) {
        looked_ = seen.text;
        good_ = read();
        if (good_) {
            const auto age = std::max(std::chrono::system_clock::now() - seen.written, std::chrono::system_clock::duration{0});
            fresh_at_ = (clock::now() - std::chrono::duration_cast<clock::duration>(age)).time_since_epoch().count();
        }
    }
    if (good_ && clock::now() - unfinished_since_ > limits::pods_line_time) {
        good_ = false;
        tell_of(settings_.pods_file + ": its last line has no end");
    }
    const auto source = source_at(clock::now());
    if (source != source_.exchange(source)) published_ = false;
    if (!published_) publish();
}

pod_source pod_watch::source_at(clock::time_point now) const noexcept
{
    const auto fresh = clock::time_point{clock::duration{fresh_at_.load()}};
    if (now - fresh >= settings_.stale_after) return pod_source::stale;
    return good_ ? pod_source::current : pod_source::away;
}

std::chrono::seconds pod_watch::age() const noexcept
{
    const auto fresh = clock::time_point{clock::duration{fresh_at_.load()}};
    return std::chrono::floor<std::chrono::seconds>(clock::now() - fresh);
}

bool pod_watch::read()
{
    const auto news = file_.read();
    tell_of(news ? std::string{} : news.error());
    if (!news) return false;
    unfinished_since_ = news->unfinished ? clock::now() : clock::time_point::max();
    take(*news);
    return true;
}

void pod_watch::take(const pods_news& news)
{
    const bool anew = !table_;
    if (anew) table_ = std::make_unique<pod_table>(settings_.networks);
    if (news.all) table_->replace(news.now);
    else {
        for (const auto& uid : news.gone) table_->remove(uid);
        for (const auto& p : news.now) table_->put(p);
    }
    const auto changes = table_->take_changes();
    known_ = table_->size(), contested_ = table_->contested();
    if (changes.empty() && !anew) return;
    names_.learn(changes);
    index_ = (anew ? pod_index{net::random_seed()} : index_).with(changes); // if that throws, what the workers have stays
    changes_ += changes.size();
    published_ = false;
}

void pod_watch::tell_of(const std::string& why)
{
    if (!why.empty()) ++failures_;
    if (why == failed_with_) return;
    failed_with_ = why;
    if (why.empty()) return log_.say(severity::notice, "the pods are known again", {{"file", settings_.pods_file}});
    log_.say(
        severity::error, "the pods cannot be read, and what is known of them stays in force for now",
        {{"why", why},
         {"until they count as stale", std::to_string(std::chrono::floor<std::chrono::seconds>(settings_.stale_after).count()) + " s"}});
}

void pod_watch::publish()
{
    const auto source = source_.load();
    if (source == pod_source::stale && now_->source != pod_source::stale)
        log_.say(severity::error, "what is known of the pods is too old",
                 {{"file", settings_.pods_file}, {"new connections", settings_.keeps_stale ? "of known pods are served" : "are refused"}});
    now_ = std::make_shared<const pod_snapshot>(pod_snapshot{index_, source});
    if (take_) take_(now_);
    published_ = true;
}

} // namespace exeat::ops
