// Reports what is valid in an allowlist but most likely not intended: for `exeat check`, not for the proxy, which accepts such a list.
// Checks the hosts in the allowlist itself, not those of a hosts_file. One thread.
#pragma once

#include <exeat/address_class.hpp>
#include <ops/policy/allowlist_draft.hpp>

namespace exeat::ops {

// Each finding is a warning, except that a private link to a public network is an error when the site is known. `for_groups`: the groups of
// the entries in files of allowlist.d.
void lint(const allowlist_draft&, wall_time now, diagnostics&, const group_set& for_groups = {}, const site_networks& = {},
          bool site_known = false);

// Its parts, each a pass over the whole list:
void lint_ends(const allowlist_draft&, wall_time now, diagnostics&); // expiry of the list and its entries, report mode
// Owner, reason, shared hosts, public subnets.
void lint_entries(const allowlist_draft&, diagnostics&, const site_networks&, bool site_known);
void lint_overlaps(const allowlist_draft&, diagnostics&);               // duplicate, shadowed, already open, never open
void lint_groups(const allowlist_draft&, group_set used, diagnostics&); // unused, overlapping sources
void lint_lookalikes(const allowlist_draft&, diagnostics&);             // A-labels that look like another host of the list

} // namespace exeat::ops
