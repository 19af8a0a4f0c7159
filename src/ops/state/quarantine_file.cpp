#include <ops/state/quarantine_file.hpp>

#include <exeat/limits.hpp>
#include <net/sockets/unique_fd.hpp>
#include <ops/files/file_source.hpp>
#include <ops/files/replace_file.hpp>
#include <ops/text/networks.hpp>
#include <ops/text/section.hpp>
#include <ops/text/toml_text.hpp>
#include <ops/text/utc.hpp>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/file.h>
#include <system_error>

namespace exeat::ops {

namespace {

constexpr toml_key client{"client", R"("10.42.3.7")"}, entry{"entry", R"("packages")"}, account{"service_account", R"("training/trainer")"},
    since{"since", "2026-12-24T03:00:00Z"}, until{"until", "2026-12-24T04:00:00Z"}, by{"by", R"("alice")"},
    reason{"reason", R"("uploads to an unknown host")"};

quarantine read_one(section s)
{
    quarantine q;
    if (const auto named = s.text(client)) {
        const auto network = parse_network(*named);
        if (network) q.client = *network;
        else s.reject(client.name, network.error());
    }
    q.entry = s.text(entry).value_or("");
    q.service_account = s.text(account).value_or("");
    if (s.has(account.name) && !is_service_account(q.service_account))
        s.reject(account.name,
                 fmt::format("{} is not a service account; write {} = {}", as_shown(q.service_account), account.name, account.example));
    if (s.has(client.name) + s.has(entry.name) + s.has(account.name) != 1)
        s.wrong().error(s.where(), "each [[quarantine]] names a client, a service_account or an entry; write one of them");
    if (const auto begun = s.moment(since)) q.since = *begun;
    if (const auto end = s.moment(until)) q.until = *end;
    else if (!s.has(until.name)) s.missing(until);
    q.by = s.text(by).value_or("");
    q.reason = s.text(reason).value_or("");
    s.done();
    return q;
}

std::string to_toml(const quarantines& all)
{
    std::string out = "# What is quarantined. 'exeat quarantine' writes this file.\n";
    for (const auto& q : all) {
        out += "\n[[quarantine]]\n";
        if (q.client) out += fmt::format("client = {}\n", toml_text(q.client->to_string()));
        else if (!q.service_account.empty()) out += fmt::format("service_account = {}\n", toml_text(q.service_account));
        else out += fmt::format("entry = {}\n", toml_text(q.entry));
        out +=
            fmt::format("since = {}\nuntil = {}\nby = {}\nreason = {}\n", utc(q.since), utc(q.until), toml_text(q.by), toml_text(q.reason));
    }
    return out;
}

net::unique_fd locked(const std::string& path)
{
    net::unique_fd fd{::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)};
    if (!fd || ::flock(fd.value(), LOCK_EX) != 0) throw std::runtime_error{path + ": " + std::generic_category().message(errno)};
    return fd;
}

} // namespace

std::string quarantine_path(const std::string& state) { return state + "/quarantine"; }

bool is_in_use(const std::string& state)
{
    const net::unique_fd fd{::open((state + "/uploads.lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    return fd && ::flock(fd.value(), LOCK_SH | LOCK_NB) != 0;
}

boost::system::result<quarantines, std::string> read_quarantines(const std::string& path)
{
    std::error_code failed;
    if (!std::filesystem::exists(path, failed)) {
        if (failed) return path + ": " + failed.message();
        if (!std::filesystem::is_directory(std::filesystem::path{path}.parent_path(), failed)) return path + ": its directory is gone";
        return quarantines{};
    }
    const auto text = read_whole(path, limits::quarantine_bytes);
    if (!text) return path + ": " + text.error();
    diagnostics wrong{path};
    quarantines out;
    if (const auto tree = parse_toml(*text, wrong)) {
        section top{*tree, "", wrong};
        for (const auto* one : top.tables({"quarantine", ""}, limits::quarantines + limits::rules))
            out.push_back(read_one({*one, "[[quarantine]]", wrong}));
        top.done();
    }
    std::vector<problem> problems;
    wrong.move_to(problems);
    if (!problems.empty()) return problems.front().to_string();
    return out;
}

void change_quarantines(const std::string& path, const std::function<void(quarantines&)>& change, std::size_t most)
{
    const auto lock = locked(path + ".lock");
    auto all = read_quarantines(path);
    if (!all) throw std::runtime_error{all.error()};
    const auto before = all->size();
    change(*all);
    if (all->size() > most && all->size() > before)
        throw std::runtime_error{
            fmt::format("{}: {} are quarantined already, and no more fit; lift some, or quarantine a network", path, most)};
    if (const auto failed = replace_file(path, to_toml(*all), readers::all)) throw std::runtime_error{path + ": " + failed.message()};
}

} // namespace exeat::ops
