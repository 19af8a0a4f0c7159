// How `diff` tells what one allowlist opens and closes against another: changes of one kind, client class, entry and terms together.
#pragma once

#include <exeat/diff/policy_diff.hpp>
#include <ops/policy/load_allowlist.hpp>

#include <boost/json/object.hpp>
#include <string>
#include <vector>

namespace exeat::cli {

struct diff_report {
    policy_diff by_host;
    std::vector<std::string> opening, other; // what concerns the list as a whole

    bool opens() const; // anything at all, widened terms too
};

// Of two that were loaded without an error. Refers to both policies.
diff_report report_difference(const ops::loaded_allowlist& before, const ops::loaded_allowlist& after, wall_time now);

// At most `most` hosts for each entry; how many more there are is said.
std::string to_text(const diff_report&, std::size_t most);
std::string to_markdown(const diff_report&, std::size_t most);
boost::json::object to_json(const diff_report&);

} // namespace exeat::cli
