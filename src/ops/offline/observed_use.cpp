#include <ops/offline/observed_use.hpp>

#include <exeat/address_class.hpp>
#include <exeat/limits.hpp>

#include <algorithm>

namespace exeat::ops {

namespace {

constexpr std::size_t nowhere = ~std::size_t{0};

// Refusals that an entry for the host could avoid; all others depend on more than the list.
bool about_target(verdict v) noexcept
{
    using enum verdict;
    return v == not_allowed || v == port_not_allowed || v == protocol_not_allowed || v == expired || v == denied_by_rule || v == ip_literal;
}

} // namespace

std::size_t observed_use::request(const logged_event& e)
{
    if (e.action != logged_event::what::deny) return serve(e);
    if (e.host && e.port != 0 && (about_target(e.verdict) || about_hello(e.verdict))) refuse(e);
    return nowhere;
}

std::size_t observed_use::serve(const logged_event& e)
{
    if (e.group == "_none") {
        ++unattributed_;
        return nowhere;
    }
    auto& table = e.reported() ? reported_ : served_;
    served_target to{e.rule, e.as, std::string{e.host->str()}, e.port, e.group};
    auto at = table.find(to);
    if (at == table.end()) {
        if (uses_.size() >= limits::observed_targets) {
            ++beyond_;
            return nowhere;
        }
        at = table.try_emplace(std::move(to)).first;
        at->second.handle = uses_.size();
        uses_.push_back(&*at);
    }
    auto& use = at->second;
    use.requests += e.stands_for;
    use.ech |= e.ech;
    const bool inside = e.peer && classify(*e.peer) != address_class::global;
    if (inside && use.private_peers.size() <= limits::addresses_per_rule) use.private_peers.insert(*e.peer);
    note_client(e);
    return use.handle;
}

std::set<std::string> observed_use::accounts_of(const std::string& group) const
{
    const auto found = accounts_.find(group);
    return found == accounts_.end() || found->second.contains({}) ? std::set<std::string>{} : found->second;
}

void observed_use::note_client(const logged_event& e)
{
    auto& accounts = accounts_[e.group];
    if (accounts.size() < limits::workloads_per_group && is_service_account(e.service_account)) accounts.insert(e.service_account);
    else accounts.insert(std::string{}); // no pod, or none that a group could name
    auto& known = (e.reported() ? reported_clients_ : clients_)[e.group];
    if (known.contains(e.source)) return;
    if (known.size() < limits::sources_per_group) known.insert(e.source);
    else clients_beyond_ = true;
}

void observed_use::moved(std::size_t request, const logged_event& e, std::uint64_t upload, std::uint64_t download)
{
    if (request == nowhere) return;
    auto& [to, use] = *uses_[request];
    use.upload += upload;
    use.download += download;
    if (upload > 0) note_upload(to.entry, e, upload);
}

void observed_use::note_upload(const std::string& entry, const logged_event& e, std::uint64_t bytes)
{
    const std::pair k{entry, e.source};
    auto at = uploads_.find(k);
    if (at == uploads_.end() && uploads_.size() >= limits::observed_uploaders) {
        uploads_beyond_ = true;
        return;
    }
    if (at == uploads_.end()) at = uploads_.try_emplace(k).first;
    auto& h = at->second;
    const auto hour = std::chrono::floor<std::chrono::hours>(e.at).time_since_epoch().count();
    if (h.hour != hour) h.now = 0;
    h.hour = hour;
    h.now += bytes;
    h.most = std::max(h.most, h.now);
}

std::map<std::string, std::uint64_t> observed_use::busiest_hours() const
{
    std::map<std::string, std::uint64_t> out;
    for (const auto& [k, h] : uploads_) out[k.first] = std::max(out[k.first], h.most);
    return out;
}

void observed_use::refuse(const logged_event& e)
{
    const refused_target to{e.group, std::string{e.host->str()}, e.port, e.via, e.verdict};
    if (const auto known = refused_.find(to); known != refused_.end()) {
        known->second += e.stands_for;
        return;
    }
    while (refused_.size() >= limits::observed_refusals) forget_rarest();
    refused_.emplace(to, e.stands_for);
}

// A client that requests a new name each time displaces other rare names, but not those that are requested again and again.
void observed_use::forget_rarest()
{
    ++floor_;
    const auto before = refused_.size();
    std::erase_if(refused_, [this](const auto& r) { return r.second <= floor_; });
    forgotten_ += before - refused_.size();
}

} // namespace exeat::ops
