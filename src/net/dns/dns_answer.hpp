// The DNS answer for one name, as a value, and how it is read from c-ares.
#pragma once

#include <exeat/ip_address.hpp>
#include <net/counters.hpp>

#include <chrono>
#include <vector>

struct ares_addrinfo;

namespace exeat::net {

struct dns_answer {
    std::vector<ip_address> addresses; // empty if it failed
    std::chrono::seconds ttl{0};       // the smallest TTL of the answer, CNAMEs included
    bool failed = false;               // no addresses: error, time-out, no data, too many
    dns_result result = dns_result::answered;
};

dns_answer failed_answer(dns_result) noexcept;
// Reads the answer to one question, for A or for AAAA. A failure when there is no memory: nothing may be thrown through c-ares.
dns_answer read_answer(int status, const ares_addrinfo*) noexcept;

} // namespace exeat::net
