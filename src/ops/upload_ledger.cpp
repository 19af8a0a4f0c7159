#include <ops/upload_ledger.hpp>

#include <net/random_seed.hpp>
#include <net/upload_permit.hpp>
#include <net/wall_clock.hpp>
#include <ops/block_signals.hpp>
#include <ops/file_source.hpp>
#include <ops/replace_file.hpp>
#include <ops/upload_snapshot.hpp>
#include <ops/utc.hpp>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <system_error>

namespace exeat::ops {

namespace {

std::unique_ptr<budget_book> new_book(budget_minutes now, std::optional<budget_minutes> forgot)
{
    return std::make_unique<budget_book>(net::random_seed(), now, forgot);
}

// How long ago; never less than nothing, whatever the clock did meanwhile.
std::chrono::minutes age_of(const upload_snapshot& s, wall_time now)
{
    return std::chrono::floor<std::chrono::minutes>(std::max(now - s.saved_at, std::chrono::seconds{0}));
}

} // namespace

upload_ledger::upload_ledger(std::string directory, const event_log& log)
    : path_{directory.empty() ? std::string{} : directory + "/uploads"}, log_{log}
{
    if (!path_.empty()) open_lock();
    read();
    if (path_.empty()) return;
    if (!keeps_)
        log_.say(severity::notice, "another process writes the upload budgets' snapshot: until it ends, each of the two counts for itself",
                 {{"file", path_}});
    else if (const auto failed = write(false)) throw std::system_error{failed, "cannot write " + path_ + " (state)"};
}

upload_ledger::~upload_ledger() { stop(); }

void upload_ledger::open_lock()
{
    lock_ = net::unique_fd{::open((path_ + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)};
    if (!lock_) throw std::system_error{errno, std::generic_category(), "cannot write " + path_ + " (state)"};
    take_over();
}

bool upload_ledger::take_over()
{
    if (!keeps_) keeps_ = ::flock(lock_.value(), LOCK_EX | LOCK_NB) == 0;
    return keeps_;
}

void upload_ledger::read()
{
    const auto now = net::budget_now();
    std::error_code failed;
    if (path_.empty() || !std::filesystem::exists(path_, failed)) {
        book_ = new_book(now, now);
        return;
    }
    const auto bytes = read_whole(path_, limits::snapshot_bytes);
    const auto found = bytes ? decode_uploads(*bytes) : std::nullopt;
    if (!found) {
        book_ = new_book(now, now);
        log_.say(severity::warning, "the upload budgets' snapshot cannot be read, so all count as half spent",
                 {{"file", path_}, {"why", bytes ? "it is damaged" : bytes.error()}});
        return;
    }
    take_time_of(*found);
    const auto age = age_of(*found, net::wall_now());
    const auto saved_at = std::max(now - age, budget_minutes{0});
    auto forgot = found->clean || age <= limits::snapshot_grace ? std::nullopt : std::optional{now};
    if (!forgot && found->forgot) forgot = saved_at - *found->forgot;
    book_ = new_book(now, forgot);
    for (const auto& a : found->accounts) book_->restore(a.key, a.sums, saved_at, now);
}

// What had expired before the restart stays expired, whatever was done to the clock meanwhile.
void upload_ledger::take_time_of(const upload_snapshot& s)
{
    if (s.saved_at > net::wall_now() + limits::clock_grace)
        log_.say(
            severity::warning,
            "the clock stands before the time of the last run; until it is there again, expiry goes by that. If the clock was wrong then, "
            "remove the file and start again",
            {{"last run", utc(s.saved_at)}, {"file", path_}});
    net::wall_has_been(s.saved_at);
}

void upload_ledger::begin()
{
    if (!path_.empty()) thread_ = std::jthread{[this](std::stop_token stopped) { run(std::move(stopped)); }};
}

void upload_ledger::stop()
{
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    if (take_over()) write(true);
}

void upload_ledger::run(std::stop_token stopped)
{
    block_signals();
    while (!stopped.stop_requested()) {
        std::unique_lock hold{mutex_};
        if (!wake_.wait_for(hold, stopped, limits::snapshot_interval, [&] { return stopped.stop_requested(); }) && take_over())
            write(false);
    }
}

std::error_code upload_ledger::write(bool clean)
{
    const auto wall = net::wall_now();
    std::error_code failed;
    try {
        const auto bytes = encode(snapshot_of(*book_, net::budget_now(), wall, clean));
        failed = bytes.empty() ? std::make_error_code(std::errc::not_supported) : replace_file(path_, bytes);
    } catch (const std::bad_alloc&) {
        failed = std::make_error_code(std::errc::not_enough_memory);
    }
    if (!failed) saved_at_ = static_cast<std::uint64_t>(wall.time_since_epoch().count());
    if (failed && !failing_)
        log_.say(severity::warning, "the upload budgets' snapshot cannot be written; after a crash they would count as half spent",
                 {{"file", path_}, {"why", failed.message()}});
    failing_ = bool{failed};
    return failed;
}

} // namespace exeat::ops
