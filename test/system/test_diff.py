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
    assert done.stdout == ("+ opens for eval by 'packages' (new.toml:6)\n    *.w.test:443\n"
                           "+ opens for training by 'packages' (new.toml:6)\n    *.w.test:443\n")


def test_closing_alone_succeeds(diff):
    done = diff(HEAD + PACKAGES + 'ports = [80, 443]\nprotocol = "http"\n', HEAD + PACKAGES + 'protocol = "http"\n')
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["- closes for eval by 'packages' (old.toml:6)", "    pkg.test:443 (http)",
                                        "- closes for training by 'packages' (old.toml:6)", "    pkg.test:443 (http)"]


def test_who_comes_to_a_group_and_a_list_that_reports_are_openings(diff):
    done = diff(HEAD + PACKAGES, HEAD.replace('"10.43.0.0/16"', '"10.43.0.0/16", "10.44.0.0/16"') + PACKAGES)
    assert done.returncode == 1 and "+ opens for clients such as 10.44.0.0, from no group to eval by 'packages'" in done.stdout
    soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    done = diff(HEAD + PACKAGES, f'mode = "report"\nreport_until = {soon}\n' + HEAD + PACKAGES)
    assert done.returncode == 1 and done.stdout == f"+ report mode until {soon}: what no entry names passes too\n"
    one = f"report_until = {soon}\n" + HEAD.replace("[groups.eval]", '[groups.eval]\nmode = "report"')
    done = diff(HEAD + PACKAGES, one + PACKAGES)
    assert done.returncode == 1 and done.stdout == f"+ report mode of eval until {soon}: what no entry names passes too\n"
    done = diff(one + PACKAGES, one.replace("[groups.training]", '[groups.training]\nmode = "report"') + PACKAGES)
    assert done.returncode == 1 and done.stdout == f"+ report mode of eval, training until {soon}: what no entry names passes too\n"
    done = diff(one + PACKAGES, HEAD + PACKAGES)
    assert done.returncode == 0 and done.stdout == "- report mode ends: the list is enforced\n"


def test_markdown_and_json_say_the_same(diff):
    new = HEAD + PACKAGES.replace("pkg.test", "new.test")
    table = diff(HEAD + PACKAGES, new, "--format", "markdown")
    assert table.returncode == 1 and table.stdout.startswith("**This change opens something.**\n")
    assert "| **opens** | eval | `new.test:443` | `packages` (new.toml:6) |  |" in table.stdout
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
