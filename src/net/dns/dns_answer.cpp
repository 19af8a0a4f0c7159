#include <net/dns/dns_answer.hpp>

#include <exeat/limits.hpp>
#include <net/sockets/socket.hpp>

#include <algorithm>
#include <ares.h>
#include <cstring>
#include <netdb.h>
#include <new>

namespace exeat::net {

namespace {

dns_result result_of(int status) noexcept
{
    switch (status) {
    case ARES_SUCCESS: return dns_result::answered;
    case ARES_ENODATA: return dns_result::no_data;
    case ARES_ENOTFOUND: return dns_result::no_such_name;
    case ARES_ETIMEOUT: return dns_result::timed_out;
    case ARES_EREFUSED:
    case ARES_ECONNREFUSED: return dns_result::refused;
    default: return dns_result::failed;
    }
}

dns_answer read(int status, const ares_addrinfo* info)
{
    dns_answer a;
    a.result = result_of(status);
    a.ttl = limits::dns_ttl_ceiling;
    for (const auto* n = info ? info->nodes : nullptr; n; n = n->ai_next) {
        if (a.addresses.size() == limits::dns_addresses) return failed_answer(dns_result::too_many);
        sockaddr_storage s{};
        if (n->ai_addrlen > sizeof s) continue;
        std::memcpy(&s, n->ai_addr, n->ai_addrlen);
        a.addresses.push_back(from_kernel(s).address);
        a.ttl = std::min(a.ttl, std::chrono::seconds{n->ai_ttl});
    }
    for (const auto* c = info ? info->cnames : nullptr; c; c = c->next) a.ttl = std::min(a.ttl, std::chrono::seconds{c->ttl});
    if (status != ARES_SUCCESS) return failed_answer(a.result);
    return a.addresses.empty() ? failed_answer(dns_result::no_data) : a;
}

} // namespace

dns_answer failed_answer(dns_result why) noexcept
{
    dns_answer none;
    none.result = why;
    none.failed = true;
    return none;
}

dns_answer read_answer(int status, const ares_addrinfo* info) noexcept
{
    try {
        return read(status, info);
    } catch (const std::bad_alloc&) {
        return failed_answer(dns_result::failed);
    }
}

} // namespace exeat::net
