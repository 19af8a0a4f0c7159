#include <ops/policy/grant.hpp>

#include <ops/text/toml_text.hpp>
#include <ops/text/utc.hpp>

#include <fmt/format.h>

namespace exeat::ops {

std::string grant::to_toml() const
{
    auto out = fmt::format("expires = {}\n\n[[allow]]\n", utc(expires));
    add_text(out, "name", name);
    add_texts(out, "hosts", hosts);
    add_texts(out, "groups", groups);
    add_ports(out, ports);
    add_text(out, "protocol", protocol);
    add_text(out, "purpose", purpose);
    add_text(out, "owner", owner);
    add_text(out, "reason", reason);
    add_text(out, "ticket", ticket);
    out += fmt::format("expires = {}\n", utc(expires)); // of the entry too: its metric and `exeat grants` show it
    return out + "end = true\n";                        // so that an incomplete copy is detected (end_mark.hpp)
}

} // namespace exeat::ops
