#include <exeat/hostname.hpp>

#include <exeat/limits.hpp>

#include <algorithm>

namespace exeat {

namespace {

bool digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool hex(char c) noexcept { return digit(c) || (c >= 'a' && c <= 'f'); }
bool letter(char c) noexcept { return c >= 'a' && c <= 'z'; }
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// RFC 1123 section 2.1; '_' occurs in service records and in some host names. Labels with hyphens in their third and fourth place are
// reserved by RFC 5890 section 2.3.1 but used by content networks ("r3---sn-a.example"): they are compared as octets like any other.
bool valid_label(std::string_view label, bool last) noexcept
{
    if (label.empty() || label.size() > limits::label_octets) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    return std::all_of(label.begin(), label.end(), [last](char c) { return letter(c) || digit(c) || c == '-' || (c == '_' && !last); });
}

// Some resolvers read a name with such an end as an IPv4 address in an old notation (inet_aton).
bool ends_in_number(std::string_view label) noexcept
{
    if (label.starts_with("0x")) return std::all_of(label.begin() + 2, label.end(), hex);
    return std::all_of(label.begin(), label.end(), digit);
}

bool valid_name(std::string_view name) noexcept
{
    if (name.find('.') == name.npos) return false; // a resolver's search list would complete it
    for (;;) {
        const auto dot = name.find('.');
        const bool last = dot == name.npos;
        const auto label = name.substr(0, dot);
        if (!valid_label(label, last)) return false;
        if (last) return !ends_in_number(label);
        name.remove_prefix(dot + 1);
    }
}

std::optional<ip_address> literal(std::string_view text) noexcept
{
    if (!text.starts_with('[')) return text.find(':') == text.npos ? ip_address::parse(text) : std::nullopt;
    if (!text.ends_with(']')) return std::nullopt;
    text = text.substr(1, text.size() - 2);
    return text.find(':') == text.npos ? std::nullopt : ip_address::parse(text);
}

} // namespace

boost::system::result<hostname, verdict> hostname::parse(std::string_view text)
{
    hostname h;
    if (const auto address = literal(text)) {
        h.text_ = address->to_string();
        h.address_ = address;
        return h;
    }
    if (text.ends_with('.')) text.remove_suffix(1);
    if (text.empty() || text.size() > limits::hostname_octets) return verdict::host_syntax;
    h.text_.resize(text.size());
    std::transform(text.begin(), text.end(), h.text_.begin(), lower);
    if (!valid_name(h.text_)) return verdict::host_syntax;
    return h;
}

std::string hostname::authority() const
{
    if (address_ && !address_->is_v4()) return '[' + text_ + ']';
    return text_;
}

} // namespace exeat
