// What is not wrong with an allowlist but most likely not meant: for `exeat check`, not for the proxy, which takes such a list. Looks at
// the hosts that stand in the allowlist itself, not at those of a hosts_file. One thread.
#pragma once

#include <exeat/address_class.hpp>
#include <ops/policy/allowlist_draft.hpp>

namespace exeat::ops {

// Each finding is a warning, but for a private link that leads to a public network: where the site is known that is an error. `for_groups`:
// the groups that entries in files of allowlist.d are for.
void lint(const allowlist_draft&, wall_time now, diagnostics&, const group_set& for_groups = {}, const site_networks& = {},
          bool site_known = false);

// Its parts, each a pass over the whole list:
void lint_ends(const allowlist_draft&, wall_time now, diagnostics&); // of the list, its entries and report mode
// Owner, reason, shared hosts, public subnets.
void lint_entries(const allowlist_draft&, diagnostics&, const site_networks&, bool site_known);
void lint_overlaps(const allowlist_draft&, diagnostics&);               // hosts twice, shadowed, open already, never open
void lint_groups(const allowlist_draft&, group_set used, diagnostics&); // unused, overlapping sources
void lint_lookalikes(const allowlist_draft&, diagnostics&);             // A-labels that look like another host of the list

} // namespace exeat::ops
