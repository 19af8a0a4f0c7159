#include <cli/loaded_files.hpp>

#include <ops/approvals/policy_gate.hpp>
#include <ops/audit/checkpoint_key.hpp>
#include <ops/files/resolv_conf.hpp>
#include <ops/identity/pods_file.hpp>

#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <stdexcept>

namespace exeat::cli {

namespace {

// `serve` does not start with a bad key. A credential exists only inside the unit; without $CREDENTIALS_DIRECTORY it is not checked.
void add_problem_of_key(const std::string& file, const std::string& key, std::vector<ops::problem>& to)
{
    const bool unknown = key.starts_with(ops::credential_prefix) && std::getenv("CREDENTIALS_DIRECTORY") == nullptr;
    if (unknown) return;
    if (const auto read = ops::read_checkpoint_key(key); !read) to.push_back({file, 0, 0, ops::problem::weight::error, read.error()});
}

// A warning, because the file may be made only when its writer runs.
void add_problem_of_pods(const std::string& file, const std::string& pods_file, std::vector<ops::problem>& to)
{
    if (pods_file.empty()) return;
    if (const auto read = ops::pods_file{pods_file}.read(); !read)
        to.push_back({file, 0, 0, ops::problem::weight::warning, "the pods are not known: " + read.error()});
}

// Loads what `serve` would load, without writing anything.
ops::loaded_allowlist load_approved(const config& c, wall_time now, ops::scrutiny how)
{
    ops::label_registry labels;
    try {
        return ops::policy_gate{c, ops::policy_gate::use::check}.load(labels, now, how);
    } catch (const std::runtime_error& e) {
        ops::loaded_allowlist none;
        none.problems.push_back({c.allowlist, 0, 0, ops::problem::weight::error, e.what()});
        return none;
    }
}

} // namespace

loaded_files load_files(const std::string& config_path, const std::string& allowlist_path, ops::scrutiny how)
{
    loaded_files out;
    out.allowlist = allowlist_path;
    ops::load_options with{how};
    std::optional<config> settings;
    if (!config_path.empty()) {
        auto config = ops::load_config(config_path);
        out.problems = std::move(config.problems);
        settings = std::move(config.value);
        if (settings) out.site = settings->network.site, out.rates = settings->rates, with.require_end = settings->require_end;
        if (settings && how == ops::scrutiny::lint) add_problem_of_key(config_path, settings->checkpoint_key, out.problems);
        if (settings && how == ops::scrutiny::lint) add_problem_of_pods(config_path, settings->kubernetes.pods_file, out.problems);
        if (settings && how == ops::scrutiny::lint && settings->dns_servers.empty())
            for (auto& p : ops::read_resolv_conf().problems) out.problems.push_back(std::move(p));
    }
    const bool draft = !out.allowlist.empty();
    if (!draft && settings) out.allowlist = settings->allowlist;
    out.settings = settings;
    if (out.allowlist.empty()) return out;
    ops::label_registry labels;
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    with.site = out.site;
    with.site_known = settings.has_value();
    if (settings) with.pods = !settings->kubernetes.networks.empty();
    out.list = draft ? ops::load_allowlist(out.allowlist, labels, now, with) : load_approved(*settings, now, how);
    std::move(out.list.problems.begin(), out.list.problems.end(), std::back_inserter(out.problems));
    return out;
}

boost::json::array to_json(const std::vector<ops::problem>& all)
{
    boost::json::array out;
    for (const auto& p : all)
        out.push_back(boost::json::object{{"file", p.file},
                                          {"line", p.line},
                                          {"column", p.column},
                                          {"weight", p.how == ops::problem::weight::error ? "error" : "warning"},
                                          {"text", p.text}});
    return out;
}

std::size_t count(const std::vector<ops::problem>& all, ops::problem::weight how)
{
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [how](const ops::problem& p) { return p.how == how; }));
}

} // namespace exeat::cli
