// The file of pods. It is taken as a whole or not at all; what is taken is safe to log; and read in two steps, its lines say the same as in
// one.
#include "memory_file.hpp"

#include <exeat/identity/workload_key.hpp>
#include <exeat/limits.hpp>
#include <ops/identity/pods_file.hpp>

#include <fstream>
#include <map>

using namespace exeat;
using namespace exeat::fuzz;

namespace {

using state = std::map<std::string, pod>; // by UID

void check_pod(const pod& p)
{
    must(is_namespace(p.space) && is_object_name(p.name), "its names are names");
    must(p.service_account == p.space + "/" || is_service_account(p.service_account), "its account is one, or there is none");
    must(!p.uid.empty() && p.uid.size() <= limits::pod_uid_octets, "its UID is within the bound");
    must(p.uid.find_first_of("\"\\\n{}") == p.uid.npos, "its UID needs no escape");
    must(p.addresses.size() <= limits::pod_addresses, "it has no more addresses than may be");
    must(is_workload_key(p.instance) && !is_identity_key(p.instance) && is_identity_key(p.identity), "its keys are keys");
}

void apply(const ops::pods_news& news, state& to)
{
    if (news.all) to.clear();
    for (const auto& uid : news.gone) to.erase(uid);
    for (const auto& p : news.now) {
        must(p.pod != nullptr, "a report has a pod");
        check_pod(*p.pod);
        to.insert_or_assign(p.pod->uid, *p.pod);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto in = text(data, size);
    const memory_file whole{in};
    ops::pods_file file{whole.path()};
    const auto news = file.read();
    must(news.has_value() || news.error().size() > whole.path().size(), "it is read, or an error says why not");
    if (!news) return 0;
    must(news->all && news->gone.empty(), "the first reading is of all pods");
    state at_once;
    apply(*news, at_once);
    const auto again = file.read();
    must(again.has_value() && !again->all && again->now.empty() && again->gone.empty(), "nothing is new at the second reading");

    draws draw{in};
    const auto cut = draw.below(in.size() + 1);
    const memory_file part{in.substr(0, cut)};
    ops::pods_file later{part.path()};
    state in_steps;
    const auto first = later.read();
    if (!first) return 0; // without the bookmark it is not whole
    apply(*first, in_steps);
    std::ofstream{part.path(), std::ios::app | std::ios::binary} << in.substr(cut);
    const auto second = later.read();
    must(second.has_value(), "what makes a file whole may be appended");
    must(!second->all, "what was appended comes on top");
    apply(*second, in_steps);
    must(in_steps == at_once, "read in steps it says the same");
    return 0;
}
