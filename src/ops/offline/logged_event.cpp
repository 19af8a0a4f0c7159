#include <ops/offline/logged_event.hpp>

#include <exeat/limits.hpp>
#include <net/counters.hpp>
#include <ops/policy/allowlist_entries.hpp>
#include <ops/text/utc.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

namespace exeat::ops {

namespace {

using what = logged_event::what;

// Requires the whole text to be digits.
template <class Number> bool read_number(std::string_view text, Number& out, int base = 10) noexcept
{
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out, base);
    return failure == std::errc{} && end == text.data() + text.size();
}

// hostname::str() writes an IPv6 address without brackets; hostname::parse requires them.
std::optional<hostname> read_host(std::string_view text)
{
    const bool v6 = text.find(':') != text.npos;
    auto host = v6 ? hostname::parse("[" + std::string{text} + "]") : hostname::parse(text);
    if (!host || host->str() != text) return std::nullopt;
    return std::move(*host);
}

bool group_label(std::string_view name) noexcept { return name == "_none" || label_like(name); }
bool rule_label(std::string_view name) noexcept { return name == "_other" || name == "_report" || label_like(name); }

class line_reader {
public:
    explicit line_reader(const boost::json::object& fields) : fields_{fields} {}

    std::optional<logged_event> read()
    {
        const auto at = parse_utc(text("@timestamp")); // as audit_line writes it: 2026-02-03T04:00:01.000042Z
        if (!at) return std::nullopt;
        e_.at = *at;
        if (!read_action()) return std::nullopt;
        if (e_.action == what::process) return e_;
        if (!read_who() || !read_mode() || !read_labels() || !read_reason()) return std::nullopt;
        read_target();
        const bool whole = e_.host && e_.port != 0;
        if (!whole && e_.action != what::deny) return std::nullopt;
        if (!read_volume()) return std::nullopt;
        return e_;
    }

private:
    std::string_view text(std::string_view key) const
    {
        const auto* value = fields_.if_contains({key.data(), key.size()});
        if (value == nullptr || !value->is_string()) return {};
        return {value->get_string().data(), value->get_string().size()};
    }
    bool has(std::string_view key) const { return fields_.contains(boost::json::string_view{key.data(), key.size()}); }

    // Returns false when the field exists and is not such a number.
    template <class Number> bool number(std::string_view key, Number& out) const
    {
        const auto* value = fields_.if_contains({key.data(), key.size()});
        if (value == nullptr) return true;
        boost::system::error_code failed;
        out = value->to_number<Number>(failed);
        return !failed;
    }

    bool read_action()
    {
        constexpr std::array<std::string_view, 13> words{"open",    "deny",     "progress",   "close", "start",   "stop",      "reload",
                                                         "anomaly", "withheld", "checkpoint", "gap",   "resumed", "quarantine"};
        const auto found = std::find(words.begin(), words.end(), text("event.action"));
        if (found == words.end()) return false;
        e_.action = static_cast<what>(std::min<std::ptrdiff_t>(found - words.begin(), static_cast<std::ptrdiff_t>(what::process)));
        return true;
    }
    bool read_who()
    {
        if (has("source.ip")) { // a sum over clients has no address
            const auto source = ip_address::parse(text("source.ip"));
            if (!source) return false;
            e_.source = *source;
        }
        const auto user = text("user.name"); // of a static pod, which has no account, "namespace/"
        const bool no_account = user.ends_with('/') && is_namespace(user.substr(0, user.size() - 1));
        if (is_service_account(user) || no_account) e_.service_account = user;
        if (!read_number(text("event.id"), e_.id, 16)) return false;
        return number("source.port", e_.source_port);
    }
    bool read_mode()
    {
        const auto& words = net::request_mode_words;
        const auto found = std::find(words.begin(), words.end(), text("exeat.mode"));
        if (found == words.end()) return false;
        using enum net::request_mode;
        const auto mode = static_cast<net::request_mode>(found - words.begin());
        e_.via = mode == connect ? approach::tunnel : mode == http || mode == transparent_http ? approach::http : approach::tls;
        // Only an entry for TLS restricts a tunnel to its server name and logs that name.
        const bool named = has("tls.client.server_name");
        e_.as = e_.via == approach::http ? protocol::http : e_.via == approach::tls || named ? protocol::tls : protocol::tcp;
        const auto* ech = fields_.if_contains("exeat.tls.ech");
        e_.ech = ech != nullptr && ech->is_bool() && ech->get_bool();
        return true;
    }
    bool read_labels()
    {
        e_.group = text("exeat.group");
        e_.rule = text("rule.name");
        return group_label(e_.group) && (e_.rule.empty() ? e_.action == what::deny : rule_label(e_.rule));
    }
    bool read_reason()
    {
        if (e_.action == what::close && has("exeat.reported_reason")) return read_verdict("exeat.reported_reason");
        if (e_.action != what::open && e_.action != what::deny) return true;
        return read_verdict("event.reason") && (e_.action != what::deny || e_.verdict != verdict::allowed);
    }
    bool read_verdict(std::string_view key)
    {
        const auto said = verdict_from(text(key));
        if (said) e_.verdict = *said;
        return said.has_value();
    }
    void read_target()
    {
        if (!has("exeat.audit.cut")) e_.host = read_host(text("destination.domain"));
        if (!number("destination.port", e_.port)) e_.port = 0;
        e_.peer = ip_address::parse(text("destination.ip"));
    }
    bool read_volume()
    {
        return number("source.bytes", e_.upload) && number("destination.bytes", e_.download) &&
               number("exeat.audit.stands_for", e_.stands_for) && e_.stands_for > 0;
    }

    const boost::json::object& fields_;
    logged_event e_;
};

} // namespace

std::optional<logged_event> read_event(std::string_view line)
{
    std::array<unsigned char, 2 * limits::audit_line_bytes> room; // NOLINT: filled by the parser
    boost::json::monotonic_resource memory{room.data(), room.size()};
    boost::system::error_code failed;
    const auto value = boost::json::parse({line.data(), line.size()}, failed, &memory);
    if (failed || !value.is_object()) return std::nullopt;
    return line_reader{value.get_object()}.read();
}

} // namespace exeat::ops
