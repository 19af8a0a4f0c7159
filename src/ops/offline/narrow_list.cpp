#include <ops/offline/narrow_list.hpp>

#include <exeat/address_class.hpp>
#include <exeat/limits.hpp>
#include <ops/offline/narrow_denies.hpp>
#include <ops/text/host_text.hpp>

#include <algorithm>
#include <set>
#include <tuple>

namespace exeat::ops {

namespace {

using addresses = std::vector<ip_address>;

// What hosts must have in common to share an entry.
struct terms {
    std::string origin;
    protocol as;
    bool ech;
    bool reported;
    addresses pinned; // when the origin is unknown and the address was private
    std::vector<std::string> groups;
    std::vector<std::uint16_t> ports;
    auto operator<=>(const terms&) const = default;
};

struct host_volume {
    std::string host;
    std::uint64_t requests = 0, upload = 0, download = 0;
};

// One host reached through one origin: its ports, and the groups of each.
struct host_use {
    std::map<std::uint16_t, std::vector<std::string>> groups_of_port;
    std::map<std::uint16_t, served_use> volume_of_port;
    std::set<ip_address> peers;
    bool ech = false;
};
using host_key = std::tuple<std::string, protocol, std::string, bool>; // origin, protocol, host, reported

class narrower {
public:
    narrower(const observed_use& seen, const allowlist_draft* given, const narrow_wishes& wishes)
        : seen_{seen}, given_{given}, wishes_{wishes}
    {}

    narrow_list run()
    {
        read_settings();
        take(seen_.served(), false);
        if (wishes_.reported) take(seen_.reported(), true);
        else
            for (const auto& [to, use] : seen_.reported()) out_.reported.push_back(to);
        find_linked();
        for (const auto& [key, use] : hosts_) deal_out(key, use);
        write_entries();
        write_groups();
        write_denies();
        write_candidates();
        return std::move(out_);
    }

private:
    void read_settings()
    {
        out_.settings.serial = given_ == nullptr ? 1 : given_->settings.serial + 1;
        if (given_ == nullptr) return;
        out_.settings.expires = given_->settings.expires;
        out_.settings.deny_help = given_->settings.deny_help;
    }

    void write_denies()
    {
        if (given_ == nullptr) return;
        out_.address_denies = address_denies(*given_, out_.groups);
        const auto denies = [](const entry& e) { return e.value.kind == rule_kind::deny; };
        out_.denies =
            static_cast<std::size_t>(std::count_if(given_->entries.begin(), given_->entries.end(), denies)) - out_.address_denies.size();
    }

    const entry* origin(const std::string& name) const
    {
        if (given_ == nullptr) return nullptr;
        const auto found = std::find_if(given_->entries.begin(), given_->entries.end(),
                                        [&](const entry& e) { return e.value.name == name && e.value.kind != rule_kind::deny; });
        return found == given_->entries.end() ? nullptr : &*found;
    }

    void take(const observed_use::served_map& all, bool reported)
    {
        for (const auto& [to, use] : all) {
            auto& host = hosts_[{to.entry, to.as, to.host, reported}];
            host.groups_of_port[to.port].push_back(to.group); // in ascending order, as in the map
            auto& volume = host.volume_of_port[to.port];
            volume.requests += use.requests, volume.upload += use.upload, volume.download += use.download;
            host.peers.insert(use.private_peers.begin(), use.private_peers.end());
            host.ech |= use.ech;
        }
    }

    bool linked(const host_key& key, const host_use& use) const
    {
        const auto* from = origin(std::get<0>(key));
        return from != nullptr ? from->value.kind == rule_kind::private_link : !use.peers.empty();
    }
    // For the hosts of a private link, decide() ignores an [[allow]].
    void find_linked()
    {
        for (const auto& [key, use] : hosts_)
            if (linked(key, use)) linked_.insert(std::get<2>(key));
    }

    // Whether the loader would accept such an entry. A changed log may claim traffic that no exeat serves.
    bool expressible(const host_key& key, const host_use& use) const
    {
        const auto& [from, as, host, reported] = key;
        const bool link = linked(key, use);
        if (!link && linked_.contains(host)) return false;
        rule probe;
        probe.kind = link ? rule_kind::private_link : rule_kind::allow;
        probe.protocol = as;
        const auto pattern = host_pattern::parse(written_host(host));
        if (!pattern || !objection_to(*pattern, probe).empty()) return false;
        if (origin(from) != nullptr) return true;
        return use.peers.size() <= limits::addresses_per_rule && std::all_of(use.peers.begin(), use.peers.end(), can_be_pinned);
    }
    static bool can_be_pinned(const ip_address& a) noexcept
    {
        const auto of = classify(a);
        return of == address_class::private_use || of == address_class::loopback;
    }

    void deal_out(const host_key& key, const host_use& use)
    {
        const auto& [from, as, host, reported] = key;
        if (!expressible(key, use)) return leave_out(key, use);
        terms t{from, as, use.ech && as == protocol::tls, reported, {}, {}, {}};
        if (linked(key, use) && origin(from) == nullptr) t.pinned.assign(use.peers.begin(), use.peers.end());
        std::map<std::vector<std::string>, std::vector<std::uint16_t>> ports; // ports by the groups that used them
        for (const auto& [port, groups] : use.groups_of_port) ports[groups].push_back(port);
        for (const auto& [groups, all] : ports)
            for (std::size_t i = 0; i < all.size(); i += limits::ports_per_rule) {
                const auto end = std::min(i + limits::ports_per_rule, all.size());
                t.groups = groups;
                t.ports.assign(all.begin() + static_cast<std::ptrdiff_t>(i), all.begin() + static_cast<std::ptrdiff_t>(end));
                entries_[t].push_back(volume(host, use, t.ports));
            }
    }

    static host_volume volume(const std::string& host, const host_use& use, const std::vector<std::uint16_t>& ports)
    {
        host_volume out{host};
        for (const auto p : ports) {
            const auto& v = use.volume_of_port.at(p);
            out.requests += v.requests, out.upload += v.upload, out.download += v.download;
        }
        return out;
    }

    void leave_out(const host_key& key, const host_use& use)
    {
        const auto& [from, as, host, reported] = key;
        for (const auto& [port, groups] : use.groups_of_port)
            for (const auto& g : groups) out_.not_expressible.push_back({from, as, host, port, g});
    }

    void write_entries()
    {
        const auto busiest = seen_.busiest_hours();
        for (const auto& [t, hosts] : entries_) {
            narrow_entry e;
            e.value = described(t);
            e.groups = t.groups;
            e.origin = t.origin;
            e.reported = t.reported;
            if (const auto b = busiest.find(t.origin); b != busiest.end()) e.busiest_hour = b->second;
            for (const auto& h : hosts) {
                e.hosts.push_back(written_host(h.host));
                e.requests += h.requests, e.upload += h.upload, e.download += h.download;
            }
            out_.entries.push_back(std::move(e));
        }
    }

    // The settings of the origin, with the protocol, ports and ECH that were seen.
    rule described(const terms& t)
    {
        rule r;
        if (const auto* from = origin(t.origin)) r = from->value;
        r.name = fresh_name(t.reported ? "reported" : t.origin == "_other" ? "other" : t.origin);
        r.protocol = t.as;
        if (!t.ech) r.ech = ech_policy::deny;
        else if (r.ech == ech_policy::deny) r.ech = ech_policy::allow;
        r.ports = t.ports;
        if (t.pinned.empty()) return r;
        r.kind = rule_kind::private_link;
        r.addresses = t.pinned;
        return r;
    }

    std::string fresh_name(const std::string& wanted)
    {
        if (names_.insert(wanted).second) return wanted;
        for (std::size_t n = 2;; ++n) { // terminates: names_ is finite
            const auto number = "-" + std::to_string(n);
            auto name = wanted.substr(0, limits::rule_name_octets - number.size()) + number;
            const bool another = std::any_of(entries_.begin(), entries_.end(), [&](const auto& e) { return e.first.origin == name; });
            if (!another && names_.insert(name).second) return name;
        }
    }

    void write_groups()
    {
        std::set<std::string> used;
        for (const auto& e : out_.entries) used.insert(e.groups.begin(), e.groups.end());
        for (const auto& name : used) out_.groups.push_back(group_of(name));
    }

    narrow_group group_of(const std::string& name) const
    {
        narrow_group out;
        out.name = name;
        const auto clients = clients_of(name);
        if (const auto* from = given_group(name)) {
            out.sources = from->sources, out.workloads = from->workloads, out.instances = from->instances;
            out.given = true;
            const auto in = [&](const ip_address& a) {
                return from->sources.empty() ||
                       std::any_of(from->sources.begin(), from->sources.end(), [&](const ip_prefix& p) { return p.contains(a); });
            };
            std::remove_copy_if(clients.begin(), clients.end(), std::back_inserter(out.elsewhere), in);
        } else if (const auto accounts = seen_.accounts_of(name); !accounts.empty()) {
            out.workloads.service_accounts.assign(accounts.begin(), accounts.end());
        } else
            for (const auto& a : clients) out.sources.push_back({a, 128});
        return out;
    }
    std::set<ip_address> clients_of(const std::string& group) const
    {
        std::set<ip_address> out;
        const auto add = [&](const observed_use::client_map& from) {
            if (const auto found = from.find(group); found != from.end()) out.insert(found->second.begin(), found->second.end());
        };
        add(seen_.clients());
        if (wishes_.reported) add(seen_.reported_clients());
        return out;
    }
    const group* given_group(const std::string& name) const
    {
        if (given_ == nullptr) return nullptr;
        const auto found = std::find_if(given_->groups.begin(), given_->groups.end(), [&](const group& g) { return g.name == name; });
        return found == given_->groups.end() ? nullptr : &*found;
    }

    void write_candidates()
    {
        for (const auto& [what, times] : seen_.refused())
            if (times >= wishes_.times) out_.candidates.push_back({what, times});
        std::stable_sort(out_.candidates.begin(), out_.candidates.end(), [](const auto& a, const auto& b) { return a.times > b.times; });
        if (out_.candidates.size() <= limits::candidates) return;
        out_.more_candidates = out_.candidates.size() - limits::candidates;
        out_.candidates.resize(limits::candidates);
    }

    const observed_use& seen_;
    const allowlist_draft* given_;
    const narrow_wishes& wishes_;
    narrow_list out_;
    std::map<host_key, host_use> hosts_;
    std::set<std::string> linked_; // hosts of private links
    std::map<terms, std::vector<host_volume>> entries_;
    std::set<std::string> names_;
};

} // namespace

bool narrow_list::whole() const noexcept
{
    const auto fits = [](const narrow_group& g) { return g.sources.size() <= limits::sources_per_group; };
    return not_expressible.empty() && entries.size() <= limits::rules && groups.size() <= limits::groups &&
           std::all_of(groups.begin(), groups.end(), fits);
}

narrow_list narrow(const observed_use& seen, const allowlist_draft* given, const narrow_wishes& wishes)
{
    return narrower{seen, given, wishes}.run();
}

std::string written_host(const std::string& canonical) { return canonical.find(':') == canonical.npos ? canonical : "[" + canonical + "]"; }

std::uint64_t proposed_upload(std::uint64_t busiest_hour) noexcept
{
    const auto least = std::max(busiest_hour * limits::upload_headroom, limits::upload_least);
    return (least + limits::upload_least - 1) / limits::upload_least * limits::upload_least;
}

} // namespace exeat::ops
