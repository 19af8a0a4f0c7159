// The answer of `explain` for one target: the decision, the entry behind it, and what is still to be checked.
#pragma once

#include <exeat/address_class.hpp>
#include <exeat/policy.hpp>
#include <exeat/quarantine.hpp>

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace exeat::cli {

struct explanation {
    std::string target;                      // as written on the command line
    enum verdict verdict = verdict::allowed; // also host_syntax and scheme
    bool allowed = false;
    const rule* by = nullptr; // points into the policy
    enum verdict reported = verdict::allowed;
    std::vector<std::string> notes; // further conditions, or entries that nearly match
};

struct asking { // who
    ip_address source;
    std::string service_account{}; // "namespace/name" of the pod; empty: it is none
};

explanation explain_target(std::string_view asked, const asking&, const policy&, wall_time now, const site_networks& = {});
// Changes an allowed result to quarantined if the client or the entry is quarantined now.
void hold_to_quarantines(explanation&, const asking&, const quarantines&, wall_time now);
std::string to_text(const explanation&);
boost::json::object to_json(const explanation&);

} // namespace exeat::cli
