"""conf/ci: what a change of an allowlist in git gets said, by the script and by the workflow's own step."""
import os
import pathlib
import shutil
import subprocess

import pytest
import yaml
from harness.client import ask, connect_request
from harness.exeat import BINARY, REPOSITORY, run

CI = REPOSITORY / "conf/ci"
HEAD = 'serial = 1\n[groups.lab]\nsources = ["127.0.0.1"]\n'
ENTRY = '[[allow]]\nname = "packages"\nhosts_file = "names.txt"\nowner = "ml"\nreason = "pip"\n'


class Change:
    """A repository with a list, and a working tree that somebody changes."""

    def __init__(self, at):
        self.at, self.list = at, at / "allowlists/pods.toml"
        self.git("init", "--quiet", "--initial-branch", "main")
        self.list.parent.mkdir()
        self.write("serial = 1\n[groups.lab]\nsources = [\"127.0.0.1\"]\n" + ENTRY, "pkg.test\n")
        shutil.copy(CI / "check-allowlist.sh", at)
        self.git("add", ".")
        self.git("-c", "user.name=T", "-c", "user.email=t@a.test", "commit", "--quiet", "--message", "first")

    def git(self, *argv):
        subprocess.run(["git", *argv], cwd=self.at, check=True, env=dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null"))

    def write(self, text, names):
        self.list.write_text(text)
        (self.list.parent / "names.txt").write_text(names)

    def checked(self, *argv, script=("./check-allowlist.sh",), **environment):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
        return subprocess.run([*script, *argv], cwd=self.at, capture_output=True, text=True, check=False, env=dict(kept, EXEAT=BINARY, **environment))


@pytest.fixture
def change(tmp_path):
    return Change(tmp_path)


@pytest.fixture(scope="module")
def log(lab):
    """An audit log with one request that was refused."""
    with lab.exeat(HEAD + '[[allow]]\nname = "a"\nhosts = ["a.test"]\n') as exeat:
        with exeat.connect() as s:
            assert ask(s, connect_request("wanted.test:443"), "CONNECT").reason == "not_allowed"
        exeat.settled()
    return exeat.audit_path


def test_a_change_that_opens_something_is_reported_and_fails_only_where_it_may_not(change):
    change.write(HEAD + ENTRY, "pkg.test\nnew.test\n")
    done = change.checked("--base", "main", "allowlists/pods.toml")
    assert done.returncode == 0 and "This change opens something." in done.stdout and "new.test:443" in done.stdout, done.stdout + done.stderr
    assert "pkg.test:443" not in done.stdout
    assert change.checked("--base", "main", "--no-opening", "allowlists/pods.toml").returncode == 1
    change.write(HEAD + ENTRY, "pkg.test\n")
    assert change.checked("--base", "main", "--no-opening", "allowlists/pods.toml").returncode == 0


def test_errors_are_annotations_on_github_and_the_report_is_the_steps_summary(change, tmp_path):
    change.write(HEAD + ENTRY + "prots = [443]\n", "pkg.test\n")
    summary = tmp_path / "summary.md"
    done = change.checked("--base", "main", "allowlists/pods.toml", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 1
    assert "::error file=allowlists/pods.toml,line=9,col=1::unknown key 'prots' in [[allow]]; did you mean 'ports'?" in done.stdout
    assert summary.read_text() == "### allowlists/pods.toml\nIt has errors, and would not load.\n"


def test_a_list_that_is_new_opens_all_that_it_names(change):
    new = change.list.with_name("new.toml")
    new.write_text(HEAD + ENTRY)
    done = change.checked("--base", "main", "allowlists/new.toml")
    assert done.returncode == 0 and "pkg.test:443" in done.stdout, done.stdout + done.stderr


def test_a_base_that_does_not_load_is_no_comparison(change):
    change.list.write_text("serial = \n")
    change.git("-c", "user.name=T", "-c", "user.email=t@a.test", "commit", "--quiet", "--all", "--message", "bad")
    change.write(HEAD + ENTRY, "pkg.test\n")
    done = change.checked("--base", "main", "allowlists/pods.toml")
    assert done.returncode == 1 and "It cannot be compared with main:" in done.stdout


def test_traffic_is_replayed(change, log):
    change.write(HEAD + ENTRY, "pkg.test\nwanted.test\n")
    done = change.checked("--base", "main", "--audit", log, "allowlists/pods.toml")
    assert done.returncode == 0 and "1 newly allowed" in done.stdout and "wanted.test:443" in done.stdout, done.stdout + done.stderr
    assert change.checked("--base", "main", "--audit", "/dev/null", "allowlists/pods.toml").returncode == 0
    assert change.checked("--base", "main", "--audit", "no-such.log", "allowlists/pods.toml").returncode == 1


@pytest.mark.parametrize("argv", [[], ["--base"], ["--bass", "main", "allowlists/pods.toml"], ["--base", "nowhere", "allowlists/pods.toml"]], ids=" ".join)
def test_the_script_tells_wrong_usage(change, argv):
    done = change.checked(*argv)
    assert done.returncode == 2 and done.stderr


def test_the_workflows_step_does_what_the_script_does(change, log):
    job = yaml.safe_load((CI / "github-actions.yml").read_text())["jobs"]["check"]
    step = next(s for s in job["steps"] if "run" in s)
    assert "${{" not in step["run"]  # what a branch is called must not become a command
    assert set(step["env"]) == {"BASE", "AUDIT"}
    change.write(HEAD + ENTRY, "pkg.test\nwanted.test\n")
    step_script = ("bash", "-e", "-o", "pipefail", "-c", step["run"])
    with_log = change.checked(script=step_script, BASE="main", AUDIT=str(log))
    assert with_log.returncode == 0 and "1 newly allowed" in with_log.stdout, with_log.stdout + with_log.stderr
    without = change.checked(script=step_script, BASE="main", AUDIT=str(pathlib.Path("/nowhere")))
    assert without.returncode == 0 and "new.test" not in without.stdout and "wanted.test:443" in without.stdout


def test_with_approvals_of_an_exeat_toml_an_unsigned_or_changed_list_fails(change, tmp_path):
    assert run("keygen", tmp_path / "alice").returncode == 0
    (tmp_path / "exeat.toml").write_text('[[listen]]\nmode = "proxy"\naddress = "127.0.0.1:3128"\n[policy]\nallowlist = "none.toml"\nstate = "state"\ntrusted_keys = ["alice.pub"]\n'
                                         'audience = "production"\n')
    change.write("expires = 2099-01-01T00:00:00Z\n" + HEAD + ENTRY, "pkg.test\n")
    ask_for = ("--base", "main", "--approvals-of", "exeat.toml", "allowlists/pods.toml")
    done = change.checked(*ask_for)
    assert done.returncode == 1 and "The list must be approved" in done.stdout, done.stdout + done.stderr
    assert run("sign", "--key", tmp_path / "alice.key", "--audience", "production", change.list).returncode == 0
    done = change.checked(*ask_for)
    assert done.returncode == 0 and "1 of 1 approvals" in done.stdout, done.stdout + done.stderr
    (change.list.parent / "names.txt").write_text("pkg.test\nevil.test\n")
    done = change.checked(*ask_for)
    assert done.returncode == 1 and "has other bytes than the manifest says" in done.stdout, done.stdout + done.stderr
