#include <ops/audit/audit_checkpoints.hpp>

#include <net/wall_clock.hpp>
#include <ops/evidence/checkpoint_text.hpp>

#include <algorithm>
#include <filesystem>
#include <unistd.h>
#include <utility>

namespace exeat::ops {

namespace {

constexpr std::size_t anchor_bytes = 64 * 1024; // a path of 4 KiB with each octet escaped, and more

std::string host_name()
{
    std::array<char, 65> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string{name.data()} : std::string{};
}

std::string path_of_log(const std::string& path)
{
    std::error_code failed;
    auto whole = path == "stdout" ? path : std::filesystem::absolute(path, failed).lexically_normal().string();
    whole.resize(std::min(whole.size(), limits::audit_text_octets));
    return whole;
}

} // namespace

audit_checkpoints::audit_checkpoints(const std::string& log_path, const state_directory& directory, std::optional<private_key> key,
                                     const event_log& log)
    : host_{host_name()}, log_path_{path_of_log(log_path)}, name_{anchor_name(log_path)}, log_{log},
      file_{directory,
            {name_, "the anchor of the audit log", "the anchor stays as it is",
             "at the next start, lines that are missing at the log's end may not be noticed"},
            log},
      key_{std::move(key)}, key_id_{key_ ? key_->id() : std::string{}}
{
    read();
}

void audit_checkpoints::read()
{
    if (!file_.is_there()) return;
    const auto bytes = file_.read(anchor_bytes);
    found_ = bytes ? decode_anchor(*bytes) : std::nullopt;
    if (found_) return publish(*found_);
    unreadable_ = bytes ? "it is damaged" : bytes.error();
}

void audit_checkpoints::resumed(const std::string& why)
{
    log_.say(
        severity::warning, "the audit log of before is not here",
        {{"why", why},
         {"log", log_path_},
         {"what to do",
          "if nobody rotated it away, somebody removed it: 'exeat verify' with the files that there are says which lines are missing"}});
}

void audit_checkpoints::gap(const std::string& why)
{
    gaps_.fetch_add(1, std::memory_order_relaxed);
    log_.say(severity::error, "the audit log is not as it was left", {{"why", why}, {"log", log_path_}});
}

std::optional<checkpoint_reason> audit_checkpoints::due(clock::time_point now) const noexcept
{
    if (lines_ == 0 || waiting_) return std::nullopt;
    if (!last_) return checkpoint_reason::start;
    if (now - *last_ >= limits::checkpoint_time) return checkpoint_reason::time;
    if (lines_ >= limits::checkpoint_lines && now - *last_ >= limits::checkpoint_pause) return checkpoint_reason::lines;
    return std::nullopt;
}

checkpoint_event audit_checkpoints::event(checkpoint_reason why)
{
    checkpoint_event e{why, host_, log_path_, key_id_, {}};
    if (key_) e.sign = [this](std::string_view line) { return sign(line); };
    else unsigned_.fetch_add(1, std::memory_order_relaxed);
    return e;
}

// If the key is no longer available, the checkpoint has no signature: the log continues, and verify reports from which line on nothing is
// proven.
std::string audit_checkpoints::sign(std::string_view line)
{
    const auto signature = key_->sign(checkpoint_statement(line));
    const bool was_well = failed_ == 0;
    (signature ? signed_ : failed_).fetch_add(1, std::memory_order_relaxed);
    if (!signature && was_well)
        log_.say(severity::error, "a checkpoint of the audit log could not be signed", {{"key", key_id_}, {"why", signature.error()}});
    return signature ? to_base64(*signature) : std::string{};
}

void audit_checkpoints::added(std::uint64_t sequence, std::string_view sha256, clock::time_point now)
{
    waiting_ = audit_anchor{sequence, std::string{sha256}, net::wall_now(), host_, log_path_};
    lines_ = 0;
    last_ = now;
}

std::error_code audit_checkpoints::settle(const audit_file& log)
{
    if (!waiting_) return {};
    if (const auto failed = log.sync()) return failed;
    file_.write_now(encode(*waiting_)); // logs its own errors
    publish(*waiting_);                 // only then: what Prometheus has seen, the next start must know
    waiting_.reset();
    return {};
}

void audit_checkpoints::publish(const audit_anchor& a)
{
    const std::lock_guard hold{mutex_};
    published_ = {a.sequence, first_52_bits(a.sha256)};
}

audit_checkpoints::mark audit_checkpoints::published() const
{
    const std::lock_guard hold{mutex_};
    return published_;
}

} // namespace exeat::ops
