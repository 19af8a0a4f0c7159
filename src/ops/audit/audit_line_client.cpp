// The fields of a line that say who the client is.
#include <ops/audit/audit_line.hpp>

#include <ops/audit/line_parts.hpp>
#include <ops/text/utc.hpp>

namespace exeat::ops {

void audit_line::source(std::string& out, const net::audit_record& r)
{
    if (r.source != ip_address{}) address(out, R"(,"source.ip":")", r.source); // none: a sum over clients
    number(out, R"(,"source.port":)", r.source_port);
    workload(out, r.client);
    out.append(R"(,"exeat.group":)");
    out.append(group(r.group_slot));
}

// All of it was checked when it was read (ops/identity/pod_json), so nothing has to be escaped.
void audit_line::workload(std::string& out, const ip_address& client) const
{
    const auto who = workloads_ == nullptr ? workload_names::workload{} : workloads_->find(client);
    if (!who.pod) return;
    word(out, R"(,"user.name":")", who.pod->service_account);
    word(out, R"(,"orchestrator.namespace":")", who.pod->space);
    if (who.of_identity) return;
    word(out, R"(,"kubernetes.pod.name":")", who.pod->name);
    word(out, R"(,"kubernetes.pod.uid":")", who.pod->uid);
}

// Readers of source.ip expect one address, so a prefix is written to source.address. All pods of a service account have no address.
void audit_line::found_at(std::string& out, const ip_address& client) const
{
    const auto who = workloads_ == nullptr ? workload_names::workload{} : workloads_->find(client);
    const auto at = workloads_ == nullptr ? client : workloads_->address(client);
    if (who.of_identity || at == ip_address{}) return;
    if (who.pod || at.is_v4() || client_prefix_ >= whole_address) address(out, R"(,"source.ip":")", at);
    else word(out, R"(,"source.address":")", key_text(at, client_prefix_));
}

void quarantined(std::string& out, const quarantine& q)
{
    const auto told = [](std::string_view s) { return s.substr(0, limits::audit_client_octets); };
    if (q.client) word(out, R"(,"exeat.quarantine.client":")", q.client_text());
    else if (!q.service_account.empty()) word(out, R"(,"user.name":")", q.service_account);
    else text(out, R"(,"exeat.quarantine.entry":)", told(q.entry));
    word(out, R"(,"exeat.quarantine.until":")", utc(q.until));
    text(out, R"(,"exeat.quarantine.by":)", told(q.by));
    text(out, R"(,"exeat.quarantine.reason":)", told(q.reason));
}

} // namespace exeat::ops
