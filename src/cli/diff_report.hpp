// How `diff` reports what one allowlist opens and closes compared with another: changes with the same kind, client class, entry and terms
// are grouped.
#pragma once

#include <exeat/diff/policy_diff.hpp>
#include <ops/policy/load_allowlist.hpp>

#include <boost/json/object.hpp>
#include <string>
#include <vector>

namespace exeat::cli {

struct diff_report {
    policy_diff by_host;
    std::vector<std::string> opening, other; // changes to the list as a whole

    bool opens() const; // whether anything opens, including widened terms
};

// Both lists must have been loaded without an error. The result refers to both policies.
diff_report report_difference(const ops::loaded_allowlist& before, const ops::loaded_allowlist& after, wall_time now);

// Shows at most `most` hosts for each entry, and the number of the others.
std::string to_text(const diff_report&, std::size_t most);
std::string to_markdown(const diff_report&, std::size_t most);
boost::json::object to_json(const diff_report&);

} // namespace exeat::cli
