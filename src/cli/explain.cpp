#include <cli/explanation.hpp>
#include <cli/loaded_files.hpp>
#include <cli/output.hpp>
#include <cli/parse_arguments.hpp>
#include <ops/state/quarantine_file.hpp>
#include <ops/text/json_text.hpp>
#include <ops/text/networks.hpp>

#include <algorithm>
#include <chrono>
#include <fmt/core.h>
#include <optional>

namespace exeat::cli {

namespace {

struct question {
    std::string client, service_account, config, allowlist, format = "text";
    std::vector<std::string> targets;
};

// The quarantines of this machine. nullopt, after an error message, when they cannot be read: every answer would be a guess.
std::optional<quarantines> quarantines_of(const loaded_files& files)
{
    if (!files.settings || files.settings->state.empty()) return quarantines{};
    const auto path = ops::quarantine_path(files.settings->state);
    auto read = ops::read_quarantines(path);
    if (read) return std::move(*read);
    print_error("exeat explain: what is quarantined is not known: {}\n", ops::one_line(read.error()));
    return std::nullopt;
}

std::vector<explanation> answer(const question& q, const ip_address& source, const loaded_files& files, const quarantines& shut)
{
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    std::vector<explanation> out;
    for (const auto& t : q.targets) {
        out.push_back(explain_target(t, {source, q.service_account}, *files.list.rules, now, files.site));
        hold_to_quarantines(out.back(), {source, q.service_account}, shut, now);
    }
    return out;
}

// Where exeat.toml says which addresses are those of pods, a client is a pod there and nowhere else.
std::string objection_to(const question& q, const ip_address& source, const loaded_files& files)
{
    if (!files.settings || files.settings->kubernetes.networks.empty()) return {};
    const bool of_pods = files.settings->kubernetes.covers(source);
    if (of_pods && q.service_account.empty())
        return fmt::format("{} lies in [kubernetes] networks, so what it may do depends on its pod; add --service-account NAMESPACE/NAME",
                           source.to_string());
    if (!of_pods && !q.service_account.empty())
        return fmt::format("{} lies in none of [kubernetes] networks, so it is no pod; leave --service-account away", source.to_string());
    return {};
}

void print(const std::vector<explanation>& all, const question& q)
{
    if (q.format == "text") {
        for (const auto& e : all) print_out("{}", to_text(e));
        return;
    }
    boost::json::array out;
    for (const auto& e : all) out.push_back(to_json(e));
    print_as_json(out);
}

} // namespace

int explain(int argc, char** argv)
{
    CLI::App app{"Says what would happen to a target, by which entry, and why. Example: exeat explain --client 10.42.3.7 --allowlist "
                 "allowlist.toml pkg.test:443",
                 "exeat explain"};
    question q;
    app.add_option("--client", q.client, "the client's address, or its name in metrics")->required();
    app.add_option("--service-account", q.service_account, "of the pod that the client is: NAMESPACE/NAME");
    app.add_option("--config", q.config, "exeat.toml, which names the allowlist")->type_name("FILE");
    app.add_option("--allowlist", q.allowlist, "the allowlist")->type_name("FILE");
    app.add_option("--format", q.format, "text or json")->check(CLI::IsMember(formats));
    app.add_option("TARGET", q.targets, "host:port, or http://host[:port] for plain HTTP")->required();
    if (const auto leave = parse_arguments(app, argc, argv)) return *leave;
    const auto source = ip_address::parse(ops::without_group(q.client));
    if (!source || (q.config.empty() && q.allowlist.empty())) {
        print_error("exeat explain: {}\n", source ? "name --allowlist or --config" : "--client takes an IP address, like 10.42.3.7");
        return wrong_usage;
    }
    if (!q.service_account.empty() && !is_service_account(q.service_account)) {
        print_error("exeat explain: --service-account takes NAMESPACE/NAME, like training/trainer\n");
        return wrong_usage;
    }
    const auto files = load_files(q.config, q.allowlist);
    for (const auto& p : files.problems) print_error("{}\n", p.to_string());
    if (!files.list.rules) return failure;
    if (const auto why = objection_to(q, *source, files); !why.empty()) {
        print_error("exeat explain: {}\n", why);
        return wrong_usage;
    }
    const auto shut = quarantines_of(files);
    if (!shut) return failure;
    const auto answers = answer(q, *source, files, *shut);
    print(answers, q);
    return std::all_of(answers.begin(), answers.end(), [](const explanation& e) { return e.allowed; }) ? success : failure;
}

} // namespace exeat::cli
