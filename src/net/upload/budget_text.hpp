// A spent budget in words, for a refused client: which one, how much of it is used, and when how much may be sent again. Pure; any thread.
#pragma once

#include <exeat/rule.hpp>
#include <net/upload/upload_permit.hpp>

#include <string>

namespace exeat::net {

std::string budget_text(const upload_permit::lack&, const rule& by);

} // namespace exeat::net
