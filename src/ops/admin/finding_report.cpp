#include <ops/admin/finding_report.hpp>

#include <ops/admin/client_text.hpp>
#include <ops/detection/finding_text.hpp>
#include <ops/text/json_text.hpp> // valid_utf8
#include <ops/text/utc.hpp>

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace exeat::ops {

namespace json = boost::json;

namespace {

json::value moment(std::chrono::system_clock::time_point t) { return json::string{utc(std::chrono::floor<std::chrono::seconds>(t))}; }

// Quotes any text as one word for a shell.
std::string shell_word(std::string text)
{
    for (auto at = text.find('\''); at != text.npos; at = text.find('\'', at + 4)) text.replace(at, 1, "'\\''");
    return "'" + text + "'";
}

// Where the entry is in the list, and who is responsible for it.
json::value of_rule(const policy_status::view& status, std::uint64_t id)
{
    if (!status.rules || id == 0) return nullptr;
    const auto& all = status.rules->rules();
    const auto r = std::find_if(all.begin(), all.end(), [id](const rule& x) { return x.id == id; });
    if (r == all.end()) return nullptr;
    return json::object{{"file", r->file}, {"line", r->line}, {"owner", r->owner}, {"ticket", r->ticket}};
}

// The command that prints the log's lines about the finding, together with everything that this client did around that time.
std::string log_command(const metric_sources& from, const anomaly_event& e)
{
    if (from.settings.audit_path == "stdout") return {};
    const auto client = client_text(e.what.client, from);
    std::error_code failed;
    const auto log = std::filesystem::absolute(from.settings.audit_path, failed);
    const auto at = std::chrono::floor<std::chrono::seconds>(e.at);
    return fmt::format(
        R"(jq -c 'select(."@timestamp" >= "{}" and ."@timestamp" < "{}" and (."source.ip" == "{}" or ."source.address" == "{}"))' {})",
        utc(at - std::chrono::minutes{5}).substr(0, 19), utc(at + std::chrono::minutes{1}).substr(0, 19), client, client,
        shell_word(failed ? from.settings.audit_path : log.string()));
}

json::object of_anomaly(const anomaly_event& e, const metric_sources& from, const client_names& names, const policy_status::view& status)
{
    const auto& facts = detect::about(e.what.which);
    const bool at_entry = e.what.entry.id != 0;
    return {{"at", moment(e.at)},
            {"detector", std::string{facts.name}},
            {"severity", std::string{detect::severity_words[facts.how]}},
            {"action", std::string{detector_action_words[e.action]}},
            {"technique", std::string{facts.technique}},
            {"client", client_text(e.what.client, from)},
            {"workload", workload_or_null(e.what.client, from)},
            {"client_name", names.of(e.what.client)},
            {"entry", at_entry ? json::value(from.labels.rule_name(e.what.entry.slot, e.what.entry.id)) : json::value(nullptr)},
            {"rule", of_rule(status, e.what.entry.id)},
            {"host", valid_utf8(e.host)},
            {"request", fmt::format("{:016x}", e.request)},
            {"value", e.what.value},
            {"threshold", e.what.threshold},
            {"sentence", finding_text(e.what)},
            {"what_to_do", std::string{finding_advice(e.what.which)}},
            {"log", log_command(from, e)},
            {"score", e.score}};
}

} // namespace

json::object finding_report(const metric_sources& from, const client_names& names)
{
    json::array recent;
    const auto status = from.policy.now();
    for (const auto& e : from.watch.recent()) recent.push_back(of_anomaly(e, from, names, status));
    return {{"total", from.watch.found()}, {"recent", std::move(recent)}};
}

} // namespace exeat::ops
