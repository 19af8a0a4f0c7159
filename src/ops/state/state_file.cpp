#include <ops/state/state_file.hpp>

#include <net/wall_clock.hpp>
#include <ops/files/file_source.hpp>
#include <ops/files/replace_file.hpp>
#include <ops/process/block_signals.hpp>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/file.h>

namespace exeat::ops {

namespace {

constexpr auto seal_bytes = sizeof(sha256_digest::value);

std::optional<sha256_digest::value> seal_of(const std::string& key, std::string_view name, std::string_view bytes)
{
    const auto all = fmt::format("{}\n{}", name, bytes);
    sha256_digest::value out{};
    unsigned int size = 0;
    const auto* made = ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(all.data()),
                              all.size(), out.data(), &size);
    if (made == nullptr || size != out.size()) return std::nullopt;
    return out;
}

} // namespace

boost::system::result<std::string, std::string> read_state(const state_directory& d, std::string_view name, std::size_t most)
{
    auto bytes = read_whole(fmt::format("{}/{}", d.path, name), d.key.empty() ? most : most + seal_bytes);
    if (!bytes || d.key.empty()) return bytes;
    const auto size = std::max(bytes->size(), seal_bytes) - seal_bytes;
    const auto seal = seal_of(d.key, name, std::string_view{*bytes}.substr(0, size));
    if (bytes->size() < seal_bytes || !seal || CRYPTO_memcmp(seal->data(), bytes->data() + size, seal_bytes) != 0)
        return {boost::system::in_place_error, "it is not sealed with the key of the state"};
    bytes->resize(size);
    return bytes;
}

bool seal_state(const state_directory& d, std::string_view name, std::string& bytes)
{
    if (d.key.empty()) return true;
    const auto seal = seal_of(d.key, name, bytes);
    if (seal) bytes.append(reinterpret_cast<const char*>(seal->data()), seal->size());
    return seal.has_value();
}

state_file::state_file(const state_directory& d, const words& w, const event_log& log)
    : directory_{d}, path_{d.path.empty() ? std::string{} : fmt::format("{}/{}", d.path, w.name)}, words_{w}, log_{log}
{
    if (path_.empty()) return;
    lock_ = net::unique_fd{::open((path_ + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)};
    if (!lock_) throw std::system_error{errno, std::generic_category(), "cannot write " + path_ + " (state)"};
    take_over();
}

state_file::~state_file() { stop(); }

bool state_file::take_over()
{
    if (keeps_ || ::flock(lock_.value(), LOCK_EX | LOCK_NB) != 0) return keeps_;
    keeps_ = true;
    if (taken_over_) taken_over_();
    return true;
}

bool state_file::is_there() const
{
    std::error_code failed;
    return !path_.empty() && std::filesystem::exists(path_, failed);
}

boost::system::result<std::string, std::string> state_file::read(std::size_t most) const
{
    return read_state(directory_, words_.name, most);
}

bool state_file::lacks_the_end(bool clean, wall_time saved_at, wall_time now) const noexcept
{
    if (directory_.last_logged && *directory_.last_logged > saved_at + limits::snapshot_grace) return true;
    return !clean && now - saved_at > limits::snapshot_grace;
}

void state_file::claim(content c, std::function<void()> taken_over)
{
    content_ = std::move(c);
    taken_over_ = std::move(taken_over);
    if (path_.empty()) return;
    if (!keeps_)
        log_.say(severity::notice, fmt::format("another process writes {}: until it ends, {}", words_.what, words_.meanwhile),
                 {{"file", path_}});
    else save();
}

void state_file::save()
{
    if (const auto failed = try_save()) throw std::system_error{failed, "cannot write " + path_ + " (state)"};
}

std::error_code state_file::try_save()
{
    const std::lock_guard hold{mutex_};
    return path_.empty() || !keeps_ || !content_ ? std::error_code{} : write(false);
}

void state_file::begin(std::chrono::seconds interval, std::function<bool()> due)
{
    if (path_.empty()) return;
    thread_ = std::jthread{[this, interval, due = std::move(due)](std::stop_token stopped) { run(std::move(stopped), interval, due); }};
}

void state_file::stop()
{
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    if (take_over()) write(true);
}

void state_file::run(std::stop_token stopped, std::chrono::seconds interval, const std::function<bool()>& due)
{
    block_signals();
    while (!stopped.stop_requested()) {
        std::unique_lock hold{mutex_};
        const auto pause = keeps_ ? std::chrono::milliseconds{interval} : limits::take_over_interval;
        if (wake_.wait_for(hold, stopped, pause, [&] { return stopped.stop_requested(); }) || !take_over()) continue;
        if (failing_ || !due || due()) write(false);
    }
}

std::error_code state_file::write(bool clean)
{
    try {
        return write_bytes(content_(clean));
    } catch (const std::bad_alloc&) {
        return report(std::make_error_code(std::errc::not_enough_memory));
    }
}

bool state_file::write_now(std::string bytes)
{
    if (path_.empty() || !take_over()) return false;
    try {
        return !write_bytes(std::move(bytes));
    } catch (const std::bad_alloc&) {
        return !report(std::make_error_code(std::errc::not_enough_memory));
    }
}

std::error_code state_file::write_bytes(std::string bytes)
{
    const auto wall = net::wall_now();
    const bool made = !bytes.empty() && seal_state(directory_, words_.name, bytes);
    const auto failed = !made ? std::make_error_code(std::errc::not_supported) : replace_file(path_, bytes);
    if (!failed) saved_at_ = static_cast<std::uint64_t>(wall.time_since_epoch().count()), ++saves_;
    return report(failed);
}

// Logs only the first of several failures in a row.
std::error_code state_file::report(std::error_code failed)
{
    if (failed && !failing_)
        log_.say(severity::warning, fmt::format("{} cannot be written; {}", words_.what, words_.otherwise),
                 {{"file", path_}, {"why", failed.message()}});
    failing_ = bool{failed};
    return failed;
}

} // namespace exeat::ops
