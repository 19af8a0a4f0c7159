#include <ops/reload_log.hpp>

#include <exeat/limits.hpp>
#include <net/wall_clock.hpp>
#include <ops/metrics/readiness.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace exeat::ops {

namespace {
std::string approvers_text(const policy_settings& s)
{
    return s.approved_by.empty() ? "nobody, as [policy] requires no approval" : fmt::format("{}", fmt::join(s.approved_by, " "));
}
} // namespace

void log_serving(const event_log& log, const policy& rules)
{
    const auto& s = rules.settings();
    log.say(severity::notice, "serving", {{"serial", std::to_string(s.serial)}, {"sha256", s.sha256}});
}

void log_reloaded(const event_log& log, const policy& rules, const std::string& cause, bool from_copy)
{
    const auto& s = rules.settings();
    log.say(severity::notice, from_copy ? "allowlist reloaded from the stored copy" : "allowlist reloaded",
            {{"cause", cause},
             {"serial", std::to_string(s.serial)},
             {"sha256", s.sha256},
             {"mode", rules.reporting(net::wall_now()) ? "report " + reporting_text(rules) : "enforce"},
             {"approved by", approvers_text(s)}});
}

void log_unchanged(const event_log& log, const std::string& cause, const policy_settings& s)
{
    log.say(severity::notice, "the file is the list in force again; nothing has changed",
            {{"cause", cause}, {"serial", std::to_string(s.serial)}});
}

void log_hold(const event_log& log, const watched_file& f)
{
    log.say(severity::warning, "a list that is only the beginning of what it was is held back, the old one stays",
            {{"file", f.path},
             {"bytes", std::to_string(f.content->octets())},
             {"why", "it was written in place, and the copy may have been cut off"},
             {"what to do",
              fmt::format("copy it again within {} s if it was cut off; if it is meant, wait, or send SIGHUP", hold_time.count())}});
}

void warn_of_serial(const event_log& log, const loaded_allowlist& loaded, const policy_settings& before, const watched_file* former)
{
    const auto serial = loaded.rules->settings().serial;
    const auto raise = [](const char* why) { return std::string{"raise 'serial' with every change, so that "} + why; };
    if (serial < before.serial)
        return log.say(severity::warning, "the allowlist has a lower serial than the one before it",
                       {{"serial", std::to_string(serial)},
                        {"before", std::to_string(before.serial)},
                        {"what to do", raise("an old list that was put back by mistake is seen")}});
    if (serial == 0 || serial != before.serial || former == nullptr) return;
    const auto &was = former->content, &is = loaded.files.front().content;
    if (!was || !is || *was == *is) return; // another file changed; it has no serial or its own
    if (is->begins(*was)) return;           // a truncated copy, which was already logged
    log.say(severity::warning, "the allowlist has changed and its serial has not",
            {{"serial", std::to_string(serial)}, {"what to do", raise("people can tell lists apart")}});
}

void log_ignored(const event_log& log, const std::vector<ignored_file>& now, const std::vector<ignored_file>& before)
{
    std::size_t told = 0;
    for (const auto& f : now) {
        if (std::find(before.begin(), before.end(), f) != before.end()) continue;
        if (++told > limits::ignored_files) continue;
        const auto how = f.why == ignored_why::waiting ? severity::notice : severity::warning;
        log.say(how, "a file of allowlist.d is ignored",
                {{"file", f.path}, {"result", std::string{ignored_words[f.why]}}, {"why", "it " + f.text}});
    }
    if (told > limits::ignored_files)
        log.say(severity::warning, "more files of allowlist.d are ignored", {{"files", std::to_string(told - limits::ignored_files)}});
}

} // namespace exeat::ops
