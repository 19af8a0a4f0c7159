"""What a running exeat has taken from itself, seen from outside; that what is forbidden fails is tested from inside (test/unit/ops/test_sandbox.cpp)."""
import pathlib
import re

import pytest
from harness.exeat import run
from harness.wait import wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "site"
hosts = ["site.box.test"]
"""


def status_of_threads(exeat):
    """The fields of every thread's status."""
    out = []
    for task in pathlib.Path(f"/proc/{exeat.pid}/task").iterdir():
        out.append(dict(re.findall(r"^(\w+):\t(.*)$", (task / "status").read_text(), re.M)))
    return out


def test_every_thread_is_filtered_and_gains_no_privileges(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        threads = status_of_threads(exeat)
        assert len(threads) > 3 and all((t["Seccomp"], t["NoNewPrivs"]) == ("2", "1") for t in threads)
    assert "system calls: restricted" in exeat.log() and "files: " in exeat.log()


def test_it_says_what_it_could_not_have_or_was_told_not_to(lab):
    with lab.exeat(ALLOWLIST, sandbox={"system_calls": "off", "files": "off"}) as exeat:
        assert all((t["Seccomp"], t["NoNewPrivs"]) == ("0", "1") for t in status_of_threads(exeat))
    assert "system calls: not restricted, as [sandbox] says; files: not restricted, as [sandbox] says" in exeat.log()


def test_root_is_warned_of_unless_it_is_meant(lab):
    with lab.exeat(ALLOWLIST, sandbox={"root": "warn"}) as exeat:
        assert "warning: exeat runs as root and need not" in exeat.log()
    with lab.exeat(ALLOWLIST, sandbox={"root": "allow"}) as exeat:
        assert "root" not in exeat.log()


@pytest.mark.parametrize("read, result", [(True, "ok"), (False, "error")])
def test_a_link_to_the_list_may_lead_elsewhere_later_only_where_it_is_said(lab, tmp_path, read, result):
    first, elsewhere = tmp_path / "first", tmp_path / "elsewhere"
    for folder in (first, elsewhere):
        folder.mkdir()
        (folder / "allowlist.toml").write_text(ALLOWLIST)
    link = tmp_path / "link"
    link.mkdir()
    (link / "list").symlink_to(first / "allowlist.toml")
    with lab.exeat(None, allowlist_path=link / "list", sandbox={"read": [str(elsewhere)] if read else []}) as exeat:
        if "landlock version" not in exeat.log() and not read:
            pytest.skip("skipped: this kernel has no landlock")
        before = exeat.metric("policy_reloads_total", result=result)
        (link / "new").symlink_to(elsewhere / "allowlist.toml")
        (link / "new").rename(link / "list")
        wait_until(lambda: exeat.metric("policy_reloads_total", result=result) > before)
    assert read or ("Permission denied" in exeat.log() and "[sandbox] read" in exeat.log())


def test_two_processes_do_not_write_one_audit_log(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        again = run("serve", "--config", exeat.config_path, "--admin", "127.0.0.1:1")
        assert again.returncode == 1
        assert f"audit log: another process writes {exeat.audit_path}; give each its own" in again.stderr


def test_a_second_process_takes_another_log_and_admin_page(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        assert "not an address and port" in run("serve", "--config", exeat.config_path, "--admin", "nine").stderr
        other = exeat.directory / "second.jsonl"
        with lab.exeat(ALLOWLIST, audit={"path": str(exeat.audit_path)}, arguments=["--audit", str(other)]) as second:
            assert second.fetch("/readyz")[0] == 200
        assert '"stop"' in other.read_text()


def test_an_audit_directory_that_is_missing_is_told_with_its_path(lab):
    running = lab.exeat(ALLOWLIST, audit={"path": "/nowhere/at/all/audit.jsonl"})
    done = run("serve", "--config", running.config_path)
    assert done.returncode == 1
    assert "audit log: the directory /nowhere/at/all does not exist; make it" in done.stderr
