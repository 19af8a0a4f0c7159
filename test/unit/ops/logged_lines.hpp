// Lines of audit logs as the journal writes them, and the requests that they are read back as.
#pragma once

#include <doctest/doctest.h>

#include <ops/audit/audit_line.hpp>
#include <ops/offline/audit_reader.hpp>
#include <ops/offline/logged_traffic.hpp>

#include <string>
#include <vector>

namespace exeat::testing {

inline constexpr wall_time morning = std::chrono::sys_days{std::chrono::year{2026} / 5 / 31} + std::chrono::hours{8};

// Writes what a worker would have said, by the product's own writer.
class log_writer {
public:
    log_writer& add(const net::audit_record& r)
    {
        line_.append(text_, r, chain_);
        return *this;
    }
    net::audit_record record(net::audit_action action, std::string_view host, std::uint16_t port = 443)
    {
        net::audit_record r;
        r.action = action;
        r.verdict = action == net::audit_action::deny ? verdict::not_allowed : verdict::allowed;
        r.id = ++id_;
        r.at = morning;
        r.source = ip_address::v4(0x0a2a0307); // 10.42.3.7
        r.source_port = 40'000;
        r.group_slot = labels_.group_slot("training");
        r.rule_slot = action == net::audit_action::deny ? 0 : labels_.rule_slot("packages", purpose::pull);
        r.host = net::bounded_text{host};
        if (action != net::audit_action::deny) r.server_name = r.host;
        r.port = port;
        return r;
    }
    ops::label_registry& labels() noexcept { return labels_; }
    const std::string& text() const noexcept { return text_; }

private:
    ops::label_registry labels_;
    ops::policy_status status_;
    ops::audit_line line_{labels_, status_};
    ops::audit_chain chain_;
    std::string text_;
    std::uint64_t id_ = 0xf000;
};

struct taken_request {
    ops::logged_event first;
    std::uint64_t upload = 0, download = 0;
};

class request_list final : public ops::request_taker {
public:
    std::size_t request(const ops::logged_event& e) override
    {
        all.push_back({e, 0, 0});
        return all.size() - 1;
    }
    void moved(std::size_t request, const ops::logged_event&, std::uint64_t upload, std::uint64_t download) override
    {
        all[request].upload += upload;
        all[request].download += download;
    }
    std::vector<taken_request> all;
};

// The same bytes in pieces of any length.
inline ops::audit_reader::counts read_text(std::string_view text, ops::request_taker& to, std::size_t piece = 1 << 16,
                                           wall_time since = wall_time::min())
{
    ops::logged_traffic traffic{to, since};
    ops::audit_reader reader{[&](const ops::logged_event& e) { traffic.take(e); }};
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) reader.bytes(text.substr(0, piece));
    reader.end();
    return reader.read_so_far();
}

} // namespace exeat::testing
