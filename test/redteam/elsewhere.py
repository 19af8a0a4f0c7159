"""The cases of the catalogue that are proved by other tests of this repository, that nobody can stop without decrypting, or that wait for
something: so that each one has an answer here."""

CATALOGUE = {
    "A": [1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 14, 15, 16], "B": [1, 2, 3, 4, 6, 7, 9, 11, 12, 13, 14], "C": [1, 2, 3, 4, 5, 6, 7, 9, 10],
    "D": [1, 3, 4, 5, 6, 7, 8, 10, 12], "E": [1, 3, 4, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16],
    "F": [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17, 19, 20, 21], "G": [1, 2, 3, 5], "H": [1, 2, 3, 4, 5, 6, 7, 9, 10, 11],
    "I": [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18], "J": [1, 2, 4, 5, 6, 7, 8], "K": [1, 3, 4, 5, 6, 7], "L": [1, 2, 3, 4, 5, 6],
    "M": [1, 2, 3, 4, 5, 6],
}

# Case -> the tests, by file below test/ and by the name of the test or a part of its sentence.
PROVED = {
    "B14": [("system/test_refusals.py", "exeat_never_dials_its_own_ports_even_where_loopback_is_pinned")],
    "C2": [("system/test_dns.py", "names_are_asked_for_absolutely_and_only_a_and_aaaa")],
    "C3": [("system/test_dns.py", "an_answer_that_changes_to_a_private_address_is_not_dialled")],
    "C6": [("system/test_dns.py", "a_failing_server_is_a_502_and_nothing_is_dialled"), ("system/test_dns.py", "a_truncated_answer_is_asked_for_again_over_tcp"),
           ("system/test_trouble.py", "a_resolver_that_is_down_is_a_502_and_comes_back")],
    "C7": [("system/test_name_budget.py", "a_name_beyond_the_budget_is_refused_and_not_looked_up"), ("system/test_connect.py", "a_wildcard_opens_neither_its_apex_nor_two_labels")],
    "C9": [("system/test_dns.py", "a_forged_answer_is_not_taken")],
    "C10": [("system/test_dns.py", "names_that_wait_for_a_silent_server_are_bounded"), ("system/test_fault_slow.py", "ten_thousand_look_ups_at_a_silent_resolver_are_bounded_and_end")],
    "E3": [("system/test_http.py", "on_one_connection_each_request_is_decided_and_goes_to_its_own_host")],
    "E8": [("system/test_http.py", "a_chunked_body_arrives_whole_and_without_extensions"), ("system/test_http.py", "one_byte_chunks_in_one_byte_segments_arrive_whole")],
    "E14": [("system/test_http.py", "redirects_are_not_followed")],
    "E16": [("system/test_http.py", "a_thousand_pipelined_requests_are_all_answered"), ("system/test_http.py", "expect_100_continue_is_passed_both_ways")],
    "F2": [("system/test_transparent.py", "the_address_that_the_client_dialled_is_never_dialled")],
    "F15": [("system/test_hello_retry.py", "a_second_hello_for_another_name_does_not"), ("system/test_hello_retry.py", "a_second_hello_for_the_same_name_goes_through")],
    "G1": [("system/test_transparent.py", "who_dials_the_transparent_port_itself_is_refused")],
    "G2": [("system/test_transparent.py", "curl_in_a_pod_needs_no_proxy_setting")],
    "G5": [("system/test_transparent.py", "who_is_in_no_group_is_refused_before_a_byte_is_read")],
    "H1": [("ops/test_shared_suffixes.cpp", "a wildcard right above a public or shared suffix is objected to")],
    "H4": [("ops/test_allowlist_errors.cpp", "every wrong allowlist is an error with its line, its column and a mend")],
    "H11": [("ops/test_lint.cpp", "shared hosts, addresses and public private links are warned of")],
    "I1": [("system/test_reload.py", "a_bad_file_changes_nothing_and_is_told")],
    "I2": [("system/test_reload.py", "an_empty_list_that_says_so_denies_everything_at_once"), ("core/test_decide.cpp", "the empty list denies everybody everything")],
    "I3": [("system/test_refusals.py", "after_a_reload_every_host_is_refused_as_before")],
    "I4": [("system/test_reload.py", "kubernetes_swaps_a_symlink")],
    "I6": [("system/test_reload.py", "a_rule_that_goes_closes_its_tunnels_and_no_others")],
    "I7": [("system/test_reload.py", "a_reload_while_a_request_waits_for_dns_uses_one_list_for_it")],
    "I8": [("system/test_reload_under_load.py", "a_thousand_reloads_in_a_minute_under_load_lose_nothing")],
    "I13": [("system/test_reload.py", "an_entry_that_expires_closes_its_tunnels_and_no_others")],
    "I14": [("system/test_fault_clock.py", "a_step_on_expires_a_grant_and_closes_its_tunnels_and_a_step_back_revives_neither")],
    "I16": [("system/test_refusals.py", "the_admin_port_changes_nothing")],
    "I17": [("core/test_decide.cpp", "a deny wins over every allow and private_link, whichever pattern is the more specific")],
    "J1": [("system/test_fault_slow.py", "ten_thousand_slow_heads_are_all_let_go_and_others_are_served_meanwhile")],
    "J2": [("system/test_trouble.py", "an_origin_that_does_not_read_holds_the_client_back_and_memory_stays"),
           ("system/test_trouble.py", "a_client_that_does_not_read_holds_the_origin_back_and_memory_stays")],
    "J4": [("system/test_exhaustion.py", "out_of_descriptors_it_pauses_and_recovers")],
    "J5": [("system/test_fault_memory.py", "whichever_allocation_fails_what_was_not_decided_is_denied_and_it_lives_on")],
    "J6": [("system/test_fault_crash.py", "without_a_local_port_it_is_overload_at_once_and_only_to_that_address")],
    "J7": [("system/test_exhaustion.py", "a_flood_of_denials_is_counted_exactly_and_logged_by_sample")],
    "K1": [("system/test_refusals.py", "nothing_a_client_sent_becomes_a_metric_label")],
    "K3": [("system/test_refusals.py", "what_a_client_sent_is_escaped_and_capped_in_the_audit_log")],
    "K4": [("system/test_refusals.py", "exeat_never_dials_its_own_ports_even_where_loopback_is_pinned"), ("system/test_refusals.py", "the_admin_port_changes_nothing")],
    "K6": [("system/test_counting.py", "bytes_are_counted_while_the_tunnel_is_open")],
    "K7": [("system/test_counting.py", "an_upload_is_counted_as_the_origin_and_the_wire_saw_it")],
    "M2": [("system/test_inside.py", "a_hello_over_three_segments_200_ms_apart_is_accepted")],
    "M3": [("system/test_connect.py", "connect_by_http_1_0_without_host_is_understood"), ("system/test_connect.py", "host_may_leave_out_the_default_port_and_be_written_otherwise")],
    "M4": [("system/test_counting.py", "after_the_clients_fin_ten_megabytes_still_come")],
    "M5": [("system/test_trouble.py", "an_idle_tunnel_ends"), ("system/test_fault_clock.py", "idle_time_runs_on_while_the_clock_goes_back")],
    "M6": [("system/test_reload_under_load.py", "a_thousand_reloads_in_a_minute_under_load_lose_nothing")],
}

# What only decrypting could stop: in the README's honest limits, each with the control that narrows it.
RESIDUAL = {"F19": "R1", "H2": "R2", "H3": "R2", "L6": "R3"}

# What is not built yet, and what it waits for.
WAITING = {
    "F20": "the network policies of the cluster", "J8": "the network policies of the cluster", "F21": "the detectors", "I9": "signed allowlists",
    "I10": "signed allowlists", "I11": "signed allowlists", "I12": "signed allowlists", "I18": "identities of workloads", "K5": "export of the audit log",
    "L1": "upload budgets and detectors", "L2": "upload budgets and detectors", "L3": "upload budgets and detectors", "L4": "the detectors",
    "L5": "the detectors",
}
