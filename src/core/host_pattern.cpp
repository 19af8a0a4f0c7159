#include <exeat/names/name_index.hpp>

namespace exeat {

boost::system::result<host_pattern, verdict> host_pattern::parse(std::string_view text)
{
    auto how = reach::exact;
    if (text.starts_with("**.")) {
        how = reach::any_depth;
        text.remove_prefix(3);
    } else if (text.starts_with("*.")) {
        how = reach::one_label;
        text.remove_prefix(2);
    }
    auto base = hostname::parse(text); // refuses every other '*', and a single label
    if (!base) return base.error();
    if (how != reach::exact && base->address()) return verdict::host_syntax;
    return host_pattern{how, std::move(*base)};
}

std::string host_pattern::to_string() const
{
    switch (how) {
    case reach::exact: break;
    case reach::one_label: return "*." + std::string{base.str()};
    case reach::any_depth: return "**." + std::string{base.str()};
    }
    return base.authority();
}

} // namespace exeat
