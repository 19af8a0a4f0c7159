// exeat.toml. Settings come out, within their bounds, or an error says in place why not.
#include "memory_file.hpp"
#include "problems.hpp"

#include <exeat/limits.hpp>
#include <ops/settings/load_config.hpp>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

void check_settings(const config& c)
{
    must(!c.listeners.empty() && c.listeners.size() <= limits::listeners, "there are listeners, within the bound");
    must(c.workers >= 1 && c.workers <= limits::workers, "there are workers, within the bound");
    must(c.connections >= 1 && c.connections <= limits::connections, "there is room for connections, within the bound");
    must(c.dns_servers.size() <= limits::dns_servers, "there are no more DNS servers than may be");
    must(c.dns_timeout.count() > 0 && c.dns_timeout <= limits::dns_timeout, "DNS has time, within the bound");
    for (const auto t : {c.head_timeout, c.hello_timeout, c.connect_timeout})
        must(t.count() > 0 && t <= limits::setup_timeout, "a setup has time, within the bound");
    must(c.idle_timeout.count() > 0 && c.idle_timeout <= limits::idle_timeout, "an idle tunnel has time, within the bound");
    must(c.drain_timeout.count() >= 0 && c.drain_timeout <= limits::drain_timeout, "draining has an end");
    must(!c.allowlist.empty() && !c.audit_path.empty(), "there is an allowlist, and a log");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    const memory_file file{in};
    const auto loaded = ops::load_config(file.path());
    must(loaded.value.has_value() != ops::any_error(loaded.problems), "settings load, or an error says why not");
    check_places(in, loaded.problems);
    check_same(loaded.problems, ops::load_config(file.path()).problems);
    if (loaded.value) check_settings(*loaded.value);
    return 0;
}
