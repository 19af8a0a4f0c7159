// Lists of other proxies. Whatever they hold, what is said of them stands in its place, and what is made of them is an allowlist that
// loads, with comments that end where they should. The first octet says whose list it is.
#include "memory_file.hpp"
#include "problems.hpp"

#include <ops/offline/import_smokescreen.hpp>
#include <ops/offline/import_squid.hpp>
#include <ops/policy/load_allowlist.hpp>

#include <string>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

constexpr wall_time now = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};

ops::import_wishes wishes(std::string_view in)
{
    ops::import_wishes w;
    w.from = std::string{in.substr(0, 40)}; // a file's name may be anything
    w.tls_ports = {443};
    w.http_ports = {80};
    w.report_until = now + std::chrono::days{7};
    w.sources["training"] = {*ip_prefix::parse("10.42.0.0/16")};
    return w;
}

void check_loads(const ops::imported_list& list, const ops::import_wishes& w, const std::vector<ops::problem>& problems)
{
    const auto toml = to_toml(list, w, problems);
    const memory_file file{toml};
    ops::label_registry labels;
    const auto loaded = ops::load_allowlist(file.path(), labels, now);
    for (const auto& p : loaded.problems)
        if (p.how == ops::problem::weight::error) std::fprintf(stderr, "%s\n%s\n", p.to_string().c_str(), toml.c_str());
    must(loaded.rules != nullptr, "what was imported loads");
    must(loaded.rules->groups().size() == list.groups.size(), "and has the groups that were meant");
    std::size_t entries = 0;
    for (const auto& e : list.entries) entries += e.kind == rule_kind::deny ? 1 : 2;
    must(loaded.rules->rules().size() == entries, "and the entries");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const auto in = text(data + 1, size - 1);
    const auto w = wishes(in);
    ops::diagnostics wrong{"list"};
    std::vector<ops::problem> problems;
    std::optional<ops::imported_list> list;
    if (data[0] % 3 == 0) list = ops::import_smokescreen(std::string{in}, w, wrong);
    else {
        list.emplace().groups.push_back({"training", "training", {}, false});
        import_squid(in, in.substr(0, 100), data[0] % 3 == 1 ? rule_kind::allow : rule_kind::deny, *list, wrong);
    }
    must(list || wrong.failed(), "a list is read, or an error says why not");
    wrong.move_to(problems);
    check_places(in, problems);
    if (list) check_loads(*list, w, problems);
    return 0;
}
