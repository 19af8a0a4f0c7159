#include <cli/loaded_files.hpp>

#include <ops/checkpoint_key.hpp>
#include <ops/resolv_conf.hpp>

#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iterator>

namespace exeat::cli {

namespace {

// serve would not start with it. A credential is there only for the unit: without one at hand nothing is known of it.
void add_problem_of_key(const std::string& file, const std::string& key, std::vector<ops::problem>& to)
{
    const bool unknown = key.starts_with(ops::credential_prefix) && std::getenv("CREDENTIALS_DIRECTORY") == nullptr;
    if (unknown) return;
    if (const auto read = ops::read_checkpoint_key(key); !read) to.push_back({file, 0, 0, ops::problem::weight::error, read.error()});
}

} // namespace

loaded_files load_files(const std::string& config_path, const std::string& allowlist_path, ops::scrutiny how)
{
    loaded_files out;
    out.allowlist = allowlist_path;
    ops::load_options with{how};
    if (!config_path.empty()) {
        auto config = ops::load_config(config_path);
        out.problems = std::move(config.problems);
        if (config.value)
            out.site = config.value->network.site, out.rates = config.value->rates, with.require_end = config.value->require_end;
        if (config.value && how == ops::scrutiny::lint) add_problem_of_key(config_path, config.value->checkpoint_key, out.problems);
        if (config.value && how == ops::scrutiny::lint && config.value->dns_servers.empty())
            for (auto& p : ops::read_resolv_conf().problems) out.problems.push_back(std::move(p));
        if (out.allowlist.empty() && config.value) out.allowlist = config.value->allowlist;
    }
    if (out.allowlist.empty()) return out;
    ops::label_registry labels;
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    with.site = out.site;
    out.list = ops::load_allowlist(out.allowlist, labels, now, with);
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
