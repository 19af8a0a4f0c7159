"""`exeat diff`: what a change opens, on files as people write them."""
import datetime
import json
import os
import subprocess

import pytest

HEAD = 'serial = 1\n[groups.training]\nsources = ["10.42.0.0/16"]\n[groups.eval]\nsources = ["10.43.0.0/16"]\n'
PACKAGES = '[[allow]]\nname = "packages"\nhosts = ["pkg.test"]\n'


@pytest.fixture
def diff(tmp_path):
    def run(old, new, *more):
        (tmp_path / "old.toml").write_text(old)
        (tmp_path / "new.toml").write_text(new)
        return subprocess.run([os.environ["EXEAT_BIN"], "diff", *more, "old.toml", "new.toml"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    return run


def test_a_list_against_itself_opens_and_closes_nothing(diff):
    done = diff(HEAD + PACKAGES, "# another comment\n" + HEAD + PACKAGES.replace('"packages"', '"renamed"'))
    assert (done.returncode, done.stdout, done.stderr) == (0, "nothing opens and nothing closes\n", "")


def test_a_new_host_opens_for_each_group_and_fails(diff):
    done = diff(HEAD + PACKAGES, HEAD + PACKAGES.replace('"pkg.test"', '"pkg.test", "*.w.test"'))
    assert done.returncode == 1
    assert done.stdout == ("+ opens for eval, training by 'packages' (new.toml:6)\n    *.w.test:443\n"
                           "summary: opens 2 (counted by host, port and kind of client)\n")


def test_closing_alone_succeeds(diff):
    done = diff(HEAD + PACKAGES + 'ports = [80, 443]\nprotocol = "http"\n', HEAD + PACKAGES + 'protocol = "http"\n')
    assert done.returncode == 0
    assert done.stdout.splitlines()[:-1] == ["- closes for eval, training by 'packages' (old.toml:6)", "    pkg.test:443 (http)"]
    assert done.stdout.splitlines()[-1].startswith("summary: closes 2 (")


def test_who_comes_to_a_group_and_a_list_that_reports_are_openings(diff):
    done = diff(HEAD + PACKAGES, HEAD.replace('"10.43.0.0/16"', '"10.43.0.0/16", "10.44.0.0/16"') + PACKAGES)
    assert done.returncode == 1 and "+ opens for clients such as 10.44.0.0, from no group to eval by 'packages'" in done.stdout
    soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    done = diff(HEAD + PACKAGES, f'mode = "report"\nreport_until = {soon}\n' + HEAD + PACKAGES)
    assert done.returncode == 1 and done.stdout == f"+ report mode until {soon}: what no entry names passes too\nsummary: loosens the list itself by 1\n"
    one = f"report_until = {soon}\n" + HEAD.replace("[groups.eval]", '[groups.eval]\nmode = "report"')
    done = diff(HEAD + PACKAGES, one + PACKAGES)
    assert done.returncode == 1 and done.stdout == f"+ report mode of eval until {soon}: what no entry names passes too\nsummary: loosens the list itself by 1\n"
    done = diff(one + PACKAGES, one.replace("[groups.training]", '[groups.training]\nmode = "report"') + PACKAGES)
    assert done.returncode == 1 and done.stdout == f"+ report mode of eval, training until {soon}: what no entry names passes too\nsummary: loosens the list itself by 1\n"
    done = diff(one + PACKAGES, HEAD + PACKAGES)
    assert done.returncode == 0 and done.stdout == "- report mode ends: the list is enforced\nsummary: other changes 1\n"


def test_markdown_and_json_say_the_same(diff):
    new = HEAD + PACKAGES.replace("pkg.test", "new.test")
    table = diff(HEAD + PACKAGES, new, "--format", "markdown")
    assert table.returncode == 1 and table.stdout.startswith("**This change opens something.**\n")
    assert "| **opens** | eval, training | `new.test:443` | `packages` (new.toml:6) |  |" in table.stdout
    told = json.loads(diff(HEAD + PACKAGES, new, "--format", "json").stdout)
    assert told["opens"] is True
    assert [(c["change"], c["hosts"], c["groups_after"]) for c in told["changes"]] == [
        ("opens", "new.test", ["eval"]), ("opens", "new.test", ["training"]), ("closes", "pkg.test", ["eval"]), ("closes", "pkg.test", ["training"])]


def test_a_long_change_is_cut_in_text_and_whole_in_json(diff):
    many = ", ".join(f'"n{i}.test.example"' for i in range(50))
    new = HEAD + PACKAGES.replace('"pkg.test"', f'"pkg.test", {many}')
    assert "and 40 more" in diff(HEAD + PACKAGES, new).stdout
    assert len(json.loads(diff(HEAD + PACKAGES, new, "--format", "json").stdout)["changes"]) == 100


@pytest.mark.parametrize("bad", ["", "serial = 1\nnonsense = 2\n", "serial ="])
def test_a_list_that_does_not_load_is_told_with_its_place_and_is_neither_yes_nor_no(diff, bad):
    done = diff(HEAD + PACKAGES, bad)
    assert done.returncode == 2 and done.stdout == "" and "new.toml:" in done.stderr


DENY = '[[deny]]\nname = "closed"\nhosts = ["93.184.216.0/23"]\n'


@pytest.mark.parametrize("after, what", [
    ('hosts = ["93.184.216.0/24"]\n', "93.184.217.0/24"),
    ('hosts = ["93.184.216.0/23"]\nports = [80, 443]\n', "93.184.216.0/23 at every port but 80 and 443"),
])
def test_of_a_narrowed_deny_no_more_opens_than_the_difference(diff, after, what):
    done = diff(HEAD + PACKAGES + DENY, HEAD + PACKAGES + '[[deny]]\nname = "closed"\n' + after)
    assert done.returncode == 1
    assert done.stdout.splitlines()[:-1] == ["+ opens for eval, training by 'closed' (old.toml:9): no longer denied", f"    {what}"]
    back = diff(HEAD + PACKAGES + '[[deny]]\nname = "closed"\n' + after, HEAD + PACKAGES + DENY)
    assert back.returncode == 0 and what in back.stdout and "- closes for eval" in back.stdout


def test_a_deny_for_fewer_groups_opens_for_the_others_alone(diff):
    done = diff(HEAD + PACKAGES + DENY, HEAD + PACKAGES + DENY + 'groups = ["eval"]\n')
    assert done.stdout.splitlines()[:-1] == ["+ opens for training by 'closed' (old.toml:9): no longer denied", "    93.184.216.0/23"]


# ---- every key of the allowlist: a change of it that widens is an opening; what is not compared is named with its reason

SOON, LATER = ((datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=d)).strftime("%Y-%m-%dT%H:%M:%SZ") for d in (2, 4))
LINK = '[[private_link]]\nname = "link"\nhosts = ["l.test"]\n'
CLOSED = '[[deny]]\nname = "closed"\nhosts = ["a.pkg.test"]\n'
WILD = PACKAGES.replace('"pkg.test"', '"*.pkg.test"')
PUSH = 'owner = "a"\nreason = "b"\nexpires = 2027-01-01T00:00:00Z\n'
EXPECT = '[[expect]]\nclient = "10.42.0.1"\ntarget = "pkg.test:443"\nverdict = "allow"\n'
PODS = '[groups.pods]\nservice_accounts = ["runs/a"]\n'
# table, key: the list, what it has, what it has instead
WIDENS = {
    ("", "expires"): (HEAD + PACKAGES, "serial = 1\n", f"serial = 1\nexpires = {SOON}\n", f"serial = 1\nexpires = {LATER}\n"),
    ("", "mode"): (HEAD + PACKAGES, "serial = 1\n", "serial = 1\n", f'serial = 1\nmode = "report"\nreport_until = {SOON}\n'),
    ("", "report_until"): (HEAD + PACKAGES, "serial = 1\n", *(f'serial = 1\nmode = "report"\nreport_until = {t}\n' for t in (SOON, LATER))),
    ("[defaults]", "upload"): (HEAD + PACKAGES, "serial = 1\n", *(f'serial = 1\n[defaults]\nupload = "{n} GiB/24h"\n' for n in (10, 11))),
    ("[groups.NAME]", "sources"): (HEAD + PACKAGES, '"10.42.0.0/16"', '"10.42.0.0/16"', '"10.42.0.0/16", "10.45.0.0/16"'),
    ("[groups.NAME]", "service_accounts"): (HEAD + PODS + PACKAGES, '"runs/a"', '"runs/a"', '"runs/a", "runs/b"'),
    ("[groups.NAME]", "namespaces"): (HEAD + PODS.replace("service_accounts", "namespaces").replace("runs/a", "runs") + PACKAGES, '"runs"', '"runs"', '"runs", "other"'),
    ("[groups.NAME]", "instances"): (HEAD + PODS + "INSTANCES\n" + PACKAGES, "INSTANCES", "instances = 16", "instances = 17"),
    ("[groups.NAME]", "mode"): (HEAD + PACKAGES, "serial = 1\n[groups.training]\n", f"serial = 1\nreport_until = {SOON}\n[groups.training]\n",
                                f'serial = 1\nreport_until = {SOON}\n[groups.training]\nmode = "report"\n'),
    ("[[allow]]", "hosts"): (HEAD + PACKAGES, '"pkg.test"', '"pkg.test"', '"pkg.test", "b.test"'),
    ("[[allow]]", "ports"): (HEAD + PACKAGES + "PORTS", "PORTS", "ports = [443]", "ports = [443, 444]"),
    ("[[allow]]", "groups"): (HEAD + PACKAGES + "GROUPS", "GROUPS", 'groups = ["eval"]', 'groups = ["eval", "training"]'),
    ("[[allow]]", "protocol"): (HEAD + PACKAGES + "ports = [443]\nPROTOCOL", "PROTOCOL", 'protocol = "tls"', 'protocol = "tcp"'),
    ("[[allow]]", "purpose"): (HEAD + PACKAGES + PUSH + 'upload = "1 GiB/1h"\nPURPOSE', "PURPOSE", 'purpose = "api"', 'purpose = "push"'),
    ("[[allow]]", "upload"): (HEAD + PACKAGES + "UPLOAD", "UPLOAD", 'upload = "50 MiB/1h"', 'upload = "50000 GiB/1h"'),
    ("[[allow]]", "upload_identity"): (HEAD + PACKAGES + 'upload = "50 MiB/1h"\nUPLOAD', "UPLOAD", 'upload_identity = "60 MiB/1h"', 'upload_identity = "70 MiB/1h"'),
    ("[[allow]]", "upload_total"): (HEAD + PACKAGES + "UPLOAD", "UPLOAD", 'upload_total = "5 GiB/24h"', ""),
    ("[[allow]]", "account"): (HEAD + PACKAGES + 'upload = "50 MiB/1h"\nACCOUNT', "ACCOUNT", 'account = "shared"', ""),
    ("[[allow]]", "on_budget"): (HEAD + PACKAGES + "ACTION", "ACTION", 'on_budget = "throttle"', 'on_budget = "alert"'),
    ("[[allow]]", "names"): (HEAD + WILD + "NAMES", "NAMES", "names = 10", "names = 11"),
    ("[[allow]]", "max_age"): (HEAD + PACKAGES + "AGE", "AGE", 'max_age = "1h"', 'max_age = "2h"'),
    ("[[allow]]", "ech"): (HEAD + PACKAGES + "ECH", "ECH", 'ech = "deny"', 'ech = "grease"'),
    ("[[allow]]", "expires"): (HEAD + PACKAGES + "EXPIRES", "EXPIRES", f"expires = {SOON}", f"expires = {LATER}"),
    ("[[private_link]]", "within"): (HEAD + LINK + "WITHIN", "WITHIN", 'within = ["10.20.8.0/24"]', 'within = ["10.20.8.0/23"]'),
    ("[[private_link]]", "addresses"): (HEAD + LINK + "TO", "TO", 'addresses = ["10.20.8.4"]', 'addresses = ["10.20.8.4", "10.20.8.5"]'),
    ("[[deny]]", "hosts"): (HEAD + WILD + CLOSED, '"a.pkg.test"', '"a.pkg.test", "b.pkg.test"', '"a.pkg.test"'),
    ("[[deny]]", "ports"): (HEAD + WILD + CLOSED + "PORTS", "PORTS", "", "ports = [444]"),
    ("[[deny]]", "groups"): (HEAD + WILD + CLOSED + "GROUPS", "GROUPS", "", 'groups = ["eval"]'),
    ("[[expect]]", "client"): (HEAD + PACKAGES + EXPECT, "10.42.0.1", "10.42.0.1", "10.42.0.2"),
    ("[[expect]]", "service_account"): (HEAD + PACKAGES + EXPECT + "WHO", "WHO", 'service_account = "runs/a"', 'service_account = "runs/b"'),
    ("[[expect]]", "target"): (HEAD + PACKAGES.replace('"pkg.test"', '"pkg.test", "b.test"') + EXPECT, "pkg.test:443", "pkg.test:443", "b.test:443"),
    ("[[expect]]", "verdict"): (HEAD + PACKAGES + EXPECT, EXPECT, EXPECT, ""),
}
OTHERWISE = {
    "hosts_file": "tested below: it is another file", "name": "the label of the entry", "serial": "falls: tested with the gate", "end": "the mark of a whole list",
    "deny_help": "text for people", "identities": "not enforced", "shared_suffix": "the reason for what hosts say", "owner": "text for people",
    "reason": "text for people", "ticket": "text for people",
}


def documented_keys():
    told = json.loads(subprocess.run([os.environ["EXEAT_BIN"], "help", "--describe"], capture_output=True, text=True, check=True).stdout)
    listed = next(f for f in told["files"] if f["name"] == "allowlist.toml")
    return {(table["title"], key["name"]) for table in listed["tables"] for key in table["keys"]}


def test_every_key_of_the_manual_is_compared_or_has_a_reason():
    assert {(t, k) for t, k in documented_keys() if k not in OTHERWISE} == set(WIDENS)


@pytest.mark.parametrize("where", WIDENS, ids=lambda w: " ".join(w).strip())
def test_what_widens_by_any_key_is_an_opening_and_the_way_back_is_none(diff, where):
    text, at, narrow, wide = WIDENS[where]
    assert at in text
    there, back = diff(text.replace(at, narrow), text.replace(at, wide)), diff(text.replace(at, wide), text.replace(at, narrow))
    assert there.returncode == 1 and "+ " in there.stdout, there.stdout + there.stderr
    # A test that is another one is one less and one more; the way in by the server name alone opens with tls.
    if where not in {("[[expect]]", "client"), ("[[expect]]", "service_account"), ("[[expect]]", "target"), ("[[allow]]", "protocol")}:
        assert back.returncode == 0 and "- " in back.stdout and not [line for line in back.stdout.splitlines() if line.startswith("+ ")], back.stdout + back.stderr


PODS_OF = '[groups.{}]\nservice_accounts = ["runs/a"]\ninstances = {}\n'


@pytest.mark.parametrize("before, after", [
    ((PODS_OF.format("one", 2), ""), (PODS_OF.format("one", 2) + PODS_OF.format("two", 1000), "")),
    ((PODS_OF.format("one", 2), ""), (PODS_OF.format("other", 200), "")),
    ((PODS_OF.format("one", 40), 'upload_identity = "200 KiB/1h"\n'), (PODS_OF.format("one", 40), "")),
    ((PODS_OF.format("one", 2), ""), (PODS_OF.format("one", 2), 'upload_identity = "640 KiB/1h"\n')),
], ids=["one more group", "another name", "without its own", "with its own"])
def test_what_all_pods_of_an_account_may_upload_is_compared_as_it_is_served(diff, before, after):
    text = lambda groups, more: HEAD + groups + PACKAGES + 'upload = "16 KiB/1h"\n' + more  # noqa: E731
    there, back = diff(text(*before), text(*after)), diff(text(*after), text(*before))
    assert there.returncode == 1 and "upload_identity more" in there.stdout, there.stdout
    assert "upload_identity more" not in back.stdout and "upload_identity less" in back.stdout, back.stdout


def test_a_namespace_is_compared_by_an_account_that_no_group_names(diff):
    groups = '[groups.a]\nservice_accounts = ["runs/other"]\n[groups.b]\nnamespaces = ["runs"]\n'
    entry = PACKAGES + "groups = {}\n"
    done = diff(HEAD + groups + entry.format('["a"]'), HEAD + groups + entry.format('["a", "b"]'))
    assert done.returncode == 1 and "pkg.test:443" in done.stdout


def test_a_hosts_file_opens_what_it_names(diff, tmp_path):
    listed = PACKAGES.replace('hosts = ["pkg.test"]', 'hosts_file = "FILE"')
    (tmp_path / "one.txt").write_text("pkg.test\n")
    (tmp_path / "two.txt").write_text("pkg.test\nb.test\n")
    done = diff(HEAD + listed.replace("FILE", "one.txt"), HEAD + listed.replace("FILE", "two.txt"))
    assert done.returncode == 1 and "b.test:443" in done.stdout and "pkg.test" not in done.stdout


def test_budgets_are_compared_by_what_may_leave_in_any_window(diff):
    entry = lambda upload: HEAD + PACKAGES + f"upload = {upload}\n"  # noqa: E731
    same = '["1 GiB/1h", "24 GiB/24h"]'  # the day's adds nothing to the hour's
    assert diff(entry('"1 GiB/1h"'), entry(same)).returncode == 0 and diff(entry(same), entry('"1 GiB/1h"')).returncode == 0
    done = diff(entry('"1 GiB/1h"'), entry('["2 GiB/1h", "3 GiB/24h"]'))
    assert done.returncode == 1 and "upload more" in done.stdout and "upload less" in done.stdout


def test_old_and_new_value_of_each_term_that_widens_are_shown(diff):
    entry = lambda more: HEAD + PACKAGES + more + 'groups = ["training"]\n'  # noqa: E731
    done = diff(entry('upload = "50 MiB/1h"\nupload_total = "5 GiB/24h"\nexpires = 2998-01-01T00:00:00Z\n'),
                entry('upload = "500 MiB/1h"\non_budget = "alert"\nexpires = 2999-01-01T00:00:00Z\n'))
    assert done.returncode == 1
    for words in ("upload more: 50 MiB/1h → 500 MiB/1h", "upload_total more: 5 GiB/24h → no limit", "on_budget alert: cut → alert", "expires later: 2998-01-01T00:00:00Z → 2999-01-01T00:00:00Z"):
        assert words in done.stdout, done.stdout
    assert done.stdout.endswith("summary: widens 1 (counted by host, port and kind of client)\n")


def test_a_source_that_a_group_gains_is_one_line_over_all_entries_and_the_widest_comes_first(diff):
    entries = "".join(f'[[allow]]\nname = "e{i:02}"\nhosts = ["h{i}.test"]\ngroups = ["eval"]\n' for i in range(51))
    wide = '[[allow]]\nname = "wide"\nhosts = ["**.wide.test"]\ngroups = ["training"]\n'
    narrow = wide.replace("wide", "narrow").replace("**.narrow.test", "narrow.test")
    done = diff(HEAD + entries, HEAD.replace('"10.43.0.0/16"', '"10.43.0.0/16", "10.44.0.0/16"') + entries + narrow + wide)
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and len(lines) == 7, done.stdout
    assert lines[0].startswith("+ opens for training by 'wide'") and lines[1] == "    **.wide.test:443"
    opened = next(x for x in lines if "10.44.0.0" in x)
    assert "clients such as 10.44.0.0, from no group to eval by 51 entries: 'e00'" in opened and "and 48 more" in opened
    assert lines[-1].startswith("summary: opens ")
