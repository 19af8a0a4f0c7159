#include <exeat/identity/pod.hpp>

#include <exeat/limits.hpp>

#include <algorithm>

namespace exeat {

namespace {

bool plain(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_label(std::string_view s) noexcept
{
    const auto inner = [](char c) { return plain(c) || c == '-'; };
    return !s.empty() && s.size() <= limits::label_octets && plain(s.front()) && plain(s.back()) && std::all_of(s.begin(), s.end(), inner);
}

} // namespace

bool is_object_name(std::string_view s) noexcept
{
    if (s.size() > limits::hostname_octets) return false;
    for (auto dot = s.find('.'); dot != s.npos; s.remove_prefix(dot + 1), dot = s.find('.'))
        if (!is_label(s.substr(0, dot))) return false;
    return is_label(s);
}

std::optional<pod> pod_of_account(std::string_view account)
{
    if (account.empty()) return std::nullopt;
    pod out;
    out.service_account = account;
    out.space = account.substr(0, account.find('/'));
    return out;
}

bool is_namespace(std::string_view s) noexcept { return is_label(s); }

bool is_service_account(std::string_view s) noexcept
{
    const auto slash = s.find('/');
    return slash != s.npos && is_namespace(s.substr(0, slash)) && is_object_name(s.substr(slash + 1));
}

} // namespace exeat
