"""What the audit log proves, and by what: its own chain, signed checkpoints, the anchor in `state`, two numbers in Prometheus."""
import gzip
import hashlib
import json
import os
import shutil
import signal
import subprocess

import pytest
from harness.client import connect_reply
from harness.exeat import BINARY, run
from harness.wait import wait_until

ALLOWLIST = """
serial = 1
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "echo"
hosts = ["echo.proof.test"]
ports = [7]
protocol = "tcp"
"""


@pytest.fixture
def key(tmp_path):
    assert run("keygen", tmp_path / "audit").returncode == 0
    return tmp_path / "audit.key"


def public(key):
    return key.with_suffix(".pub")


@pytest.fixture
def state(tmp_path):
    at = tmp_path / "state"
    at.mkdir()
    return at


def refusals(exeat, n):
    before = len(exeat.audit(event__action="deny"))
    for i in range(n):
        assert connect_reply(exeat, f"n{i}.evil.test:443").reason == "not_allowed"
    wait_until(lambda: len(exeat.audit(event__action="deny")) == before + n)


def checkpoint(exeat):
    """Makes the log's last line one, as each rotation does; its number and hash as Prometheus has them."""
    wait_until(lambda: exeat.audit(event__action="start"))
    exeat.signal(signal.SIGUSR1)
    last = wait_until(lambda: exeat.audit(checkpoints=True)[-1]["event.action"] == "checkpoint" and exeat.audit(checkpoints=True)[-1]["event.sequence"])
    wait_until(lambda: exeat.metric("audit_checkpoint_sequence") == last)
    return f"{last}:{exeat.metric('audit_checkpoint_hash'):.17g}"


def kill(exeat):
    exeat.signal(signal.SIGKILL)
    exeat.wait()


def verify(*files, **more):
    options = [part for name, value in more.items() for part in (f"--{name}", value)]
    return run("verify", *(part for f in files for part in ("--audit", f)), *options)


def chained_anew(lines):
    """What fifteen lines of Python can do to a log."""
    previous, out = lines[0]["exeat.audit.previous"], []
    for line in lines:
        line["exeat.audit.previous"] = previous
        signature = line.pop("exeat.audit.signature", None)
        if signature:
            line["exeat.audit.signature"] = signature  # behind the hash, as it was
        text = json.dumps(line, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(text.encode()).hexdigest()
        out.append(text + "\n")
    return "".join(out)


# ---- the anchor ----

def test_lines_cut_after_a_kill_are_noticed_at_the_restart_and_the_log_goes_on(lab, state):
    exeat = lab.exeat(ALLOWLIST, policy={"state": str(state)})
    exeat.start()
    refusals(exeat, 5)
    anchored = int(checkpoint(exeat).split(":")[0])
    kill(exeat)
    lines = exeat.audit_path.read_bytes().splitlines(keepends=True)
    exeat.audit_path.write_bytes(b"".join(lines[:-3]))
    missing = verify(exeat.audit_path, state=state)
    assert missing.returncode == 1 and f"knows line {anchored}" in missing.stderr, missing
    exeat.start()
    try:
        gap = wait_until(lambda: exeat.audit(event__action="gap"))[0]
        assert gap["event.kind"] == "alert" and gap["exeat.audit.anchored"] == anchored and gap["event.sequence"] == anchored + 1
        assert f"lines {anchored - 2} to {anchored} are missing" in gap["message"]
        assert exeat.metric("audit_gaps_total") == 1
        assert "the audit log is not as it was left" in exeat.log()
        wait_until(lambda: exeat.metric("audit_checkpoint_sequence") > anchored)  # at once: the next start knows of it
        kill(exeat)
        exeat.start()
        assert exeat.metric("audit_gaps_total") == 0
        refusals(exeat, 6)
    finally:
        kill(exeat)
    told = verify(exeat.audit_path)
    assert told.returncode == 1 and "removed or changed" in told.stderr
    assert len(exeat.audit(event__action="gap")) == 1


def test_a_changed_line_is_not_among_those_that_are_chained(lab, tmp_path):
    with lab.exeat(ALLOWLIST) as exeat:
        refusals(exeat, 5)
    lines = exeat.audit_path.read_bytes().splitlines(keepends=True)
    copy = tmp_path / "copy.jsonl"
    for changed in (1, 3, 4):  # the line after it has another hash, so both are in doubt
        copy.write_bytes(b"".join([*lines[:changed - 1], lines[changed - 1].replace(b'"@timestamp":"20', b'"@timestamp":"19'), *lines[changed:]]))
        assert copy.read_bytes() != b"".join(lines)
        told = verify(copy)
        assert told.returncode == 1 and f"line {changed + 1} does not carry the hash of the line before" in told.stderr
        assert (f"lines 1 to {changed - 1} are chained" in told.stdout) == (changed > 1)
        assert f"to {changed} are" not in told.stdout


def test_a_line_of_a_checkpoint_that_was_changed_is_noticed_at_the_restart(lab, state):
    exeat = lab.exeat(ALLOWLIST, policy={"state": str(state)})
    with exeat:
        refusals(exeat, 3)
    lines = exeat.audit(checkpoints=True)
    lines[2]["destination.domain"] = "harmless.test"
    exeat.audit_path.write_text(chained_anew(lines))
    assert verify(exeat.audit_path).returncode == 0, "its own chain says nothing of it"
    exeat.start()
    wait_until(lambda: exeat.audit(event__action="gap"))
    assert exeat.metric("audit_gaps_total") == 1
    kill(exeat)


def test_an_untouched_log_has_no_gap_over_kills_and_clean_ends(lab, state):
    exeat = lab.exeat(ALLOWLIST, policy={"state": str(state)})
    for n in range(4):
        exeat.start()
        refusals(exeat, 3)
        assert exeat.metric("audit_gaps_total") == 0
        if n % 2:
            checkpoint(exeat)
            refusals(exeat, 3)
            kill(exeat)
        else:
            exeat.stop()
    proven = verify(exeat.audit_path, state=state)
    assert proven.returncode == 0 and "chained, not proven" in proven.stdout
    assert not exeat.audit(event__action="gap") + exeat.audit(event__action="resumed")


def test_prometheus_is_a_witness(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        refusals(exeat, 5)
        anchor = checkpoint(exeat)
    good = verify(exeat.audit_path, anchor=anchor)
    assert good.returncode == 0 and f"proven up to line {anchor.split(':')[0]} by the anchor given" in good.stdout, good
    lines = exeat.audit(checkpoints=True)
    lines[2]["destination.domain"] = "harmless.test"
    exeat.audit_path.write_text(chained_anew(lines))
    bad = verify(exeat.audit_path, anchor=anchor)
    assert bad.returncode == 1 and "changed" in bad.stderr
    assert verify(exeat.audit_path, anchor="7").returncode == 2
    exeat.audit_path.write_text(chained_anew(lines[:3]))
    assert verify(exeat.audit_path).returncode == 0
    assert verify(exeat.audit_path, anchor=anchor).returncode == 1


# ---- signatures ----

def test_signed_checkpoints_prove_the_log_and_no_chain_made_anew_passes(lab, key):
    with lab.exeat(ALLOWLIST, audit={"checkpoint_key": str(key)}) as exeat:
        refusals(exeat, 5)
        checkpoint(exeat)
        refusals(exeat, 7)
        wait_until(lambda: exeat.metric("audit_checkpoints_total", result="signed") >= 1)  # that of the start and this one may be one
    good = verify(exeat.audit_path, key=public(key))
    last = exeat.audit(checkpoints=True)[-1]
    assert last["event.action"] == "checkpoint" and last["event.reason"] == "end" and last["log.file.path"] == str(exeat.audit_path)
    assert good.returncode == 0 and f"proven up to line {last['event.sequence']} by the checkpoint signed with key {last['exeat.audit.key']}" in good.stdout, good
    told = verify(exeat.audit_path)
    assert told.returncode == 0 and "--key proves it" in told.stdout and "are chained to each other" in told.stdout
    lines = exeat.audit(checkpoints=True)
    lines[2]["destination.domain"] = "harmless.test"
    made = chained_anew(lines)
    exeat.audit_path.write_text(made)
    bad = verify(exeat.audit_path, key=public(key))
    assert bad.returncode == 1 and "signature" in bad.stderr, bad
    # Without the checkpoints that give it away, or with a key of one's own.
    plain = [x for x in lines if x["event.action"] != "checkpoint"]
    for n, line in enumerate(plain):
        line["event.sequence"] = n + 1
    exeat.audit_path.write_text(chained_anew(plain))
    assert verify(exeat.audit_path).returncode == 0
    assert verify(exeat.audit_path, key=public(key)).returncode == 1


def test_a_checkpoint_of_another_log_fits_nowhere(lab, key, tmp_path):
    logs = []
    for n in range(2):
        with lab.exeat(ALLOWLIST, audit={"checkpoint_key": str(key)}) as exeat:
            refusals(exeat, 3 + n)
        logs.append(exeat)
    lines, foreign = logs[0].audit(checkpoints=True), logs[1].audit(checkpoints=True)
    mixed = tmp_path / "mixed.jsonl"
    for at in (len(lines) - 1, 1):
        one = dict(next(x for x in foreign if x["event.action"] == "checkpoint"))
        one["event.sequence"] = lines[at]["event.sequence"]
        mixed.write_text(chained_anew([*map(dict, lines[:at]), one, *map(dict, lines[at + 1:])]))
        assert verify(mixed, key=public(key)).returncode == 1


def test_a_key_that_cannot_be_read_is_an_error_of_check_and_of_the_start(lab, key, tmp_path):
    junk = tmp_path / "junk.key"
    junk.write_text("no key\n")
    for place, words in (str(tmp_path / "none"), "none"), (str(junk), "is not a private key"), (str(public(key)), "is not a private key"):
        exeat = lab.exeat(ALLOWLIST, audit={"checkpoint_key": place})
        checked = run("check", "--config", exeat.config_path)
        assert checked.returncode == 1 and "checkpoint_key" in checked.stdout and words in checked.stdout, checked
        started = run("serve", "--config", exeat.config_path)
        assert started.returncode == 1 and "checkpoint_key" in started.stderr and words in started.stderr, started
    good = lab.exeat(ALLOWLIST, audit={"checkpoint_key": str(key)})
    assert run("check", "--config", good.config_path).returncode == 0


def test_the_key_may_be_a_credential(lab, key, tmp_path, monkeypatch):
    exeat = lab.exeat(ALLOWLIST, audit={"checkpoint_key": "credential:exeat.audit.key"})
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert run("check", "--config", exeat.config_path).returncode == 0, "only the unit has it"
    started = run("serve", "--config", exeat.config_path)
    assert started.returncode == 1 and "LoadCredential=exeat.audit.key" in started.stderr
    given = tmp_path / "credentials"
    given.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    assert run("check", "--config", exeat.config_path).returncode == 1
    shutil.copy(key, given / "exeat.audit.key")
    with exeat:
        refusals(exeat, 1)
    assert verify(exeat.audit_path, key=public(key)).returncode == 0


# ---- what a crash leaves ----

def test_a_fragment_is_part_of_the_chain_and_so_is_the_line_before_it(lab, state):
    exeat = lab.exeat(ALLOWLIST, policy={"state": str(state)})
    exeat.start()
    checkpoint(exeat)
    refusals(exeat, 3)
    kill(exeat)
    os.truncate(exeat.audit_path, exeat.audit_path.stat().st_size - 40)
    exeat.start()
    for _ in range(5):
        assert connect_reply(exeat, "again.evil.test:443").reason == "not_allowed"
    exeat.stop()  # which verifies the log
    raw = exeat.audit_path.read_bytes().splitlines()
    owner = next(i for i, line in enumerate(raw) if b"exeat.audit.torn_sha256" in line)
    assert hashlib.sha256(raw[owner - 1]).hexdigest() == json.loads(raw[owner])["exeat.audit.torn_sha256"]
    assert "a fragment that a crash left" in verify(exeat.audit_path, state=state).stdout
    for line in owner - 1, owner - 2:  # the fragment, and the last whole line, which no later line named before
        bad = list(raw)
        bad[line] = bad[line].replace(b"evil", b"good")
        assert bad != raw
        exeat.audit_path.write_bytes(b"\n".join(bad) + b"\n")
        assert verify(exeat.audit_path).returncode == 1
    exeat.audit_path.write_bytes(b"\n".join(raw[:owner - 1] + raw[owner:]) + b"\n")
    assert "which are not there" in verify(exeat.audit_path).stderr


# ---- files ----

def test_gzipped_files_and_the_standard_input_are_read_as_replay_reads_them(lab, tmp_path):
    exeat = lab.exeat(ALLOWLIST)
    for n in range(3):
        with exeat:
            refusals(exeat, 3)
        if n < 2:
            exeat.audit_path.rename(exeat.audit_path.with_name(f"audit.jsonl.{2 - n}"))
    oldest, older = (exeat.audit_path.with_name(f"audit.jsonl.{n}") for n in (2, 1))
    packed = tmp_path / "oldest.gz"
    packed.write_bytes(gzip.compress(oldest.read_bytes()))
    proven = verify(packed, older, exeat.audit_path)
    assert proven.returncode == 0 and proven.stdout.count("none missing, none changed") == 3, proven
    piped = subprocess.run([BINARY, "verify", "--audit", packed, "--audit", "-", "--audit", exeat.audit_path], input=older.read_bytes(), capture_output=True, check=False)
    assert piped.returncode == 0, piped
    packed.write_bytes(packed.read_bytes()[:-20])
    assert verify(packed, older).returncode == 1
    missing = verify(oldest, exeat.audit_path)
    last, first = json.loads(oldest.read_bytes().splitlines()[-1])["event.sequence"], exeat.audit(checkpoints=True)[0]["event.sequence"]
    assert missing.returncode == 1 and f"the file with lines {last + 1} to {first - 1} is missing between" in missing.stderr, missing
    assert verify(older, oldest).returncode == 1


@pytest.mark.parametrize("end", ["clean", "killed", "torn"])
@pytest.mark.parametrize("kept", ["beside", "elsewhere", "beside without state"])
def test_a_log_that_is_moved_while_no_exeat_runs_is_gone_on_with(lab, state, tmp_path, end, kept):
    exeat = lab.exeat(ALLOWLIST, policy={} if "without" in kept else {"state": str(state)})
    exeat.start()
    refusals(exeat, 3)
    checkpoint(exeat)
    if end == "clean":
        exeat.stop()
    else:
        refusals(exeat, 6)
        kill(exeat)
    if end == "torn":
        os.truncate(exeat.audit_path, exeat.audit_path.stat().st_size - 40)
    moved = exeat.audit_path.with_name("audit.jsonl-20260101") if "beside" in kept else tmp_path / "elsewhere.jsonl"
    exeat.audit_path.rename(moved)
    exeat.start()
    refusals(exeat, 2)
    assert not exeat.audit(event__action="gap") and exeat.metric("audit_gaps_total") == 0
    exeat.stop()
    whole = verify(moved, exeat.audit_path)
    assert whole.returncode == 0, whole
    if kept == "elsewhere":
        assert exeat.audit(checkpoints=True)[0]["event.action"] == "resumed"
        assert verify(exeat.audit_path, state=state).returncode == 0


def test_a_log_that_begins_anew_is_told_from_one_whose_lines_are_missing(lab, tmp_path):
    exeat = lab.exeat(ALLOWLIST)
    with exeat:
        refusals(exeat, 3)
    moved = tmp_path / "elsewhere.jsonl"
    exeat.audit_path.rename(moved)
    with exeat:
        refusals(exeat, 3)
    anew = verify(moved, exeat.audit_path)
    assert anew.returncode == 1 and "begins a chain of its own" in anew.stderr


def forged(raw):
    """Those lines with another name in them and without their checkpoints, numbered and chained anew."""
    lines = [json.loads(json.dumps(line).replace("n0.evil", "harmless")) for line in map(json.loads, raw) if line["event.action"] != "checkpoint"]
    for n, line in enumerate(lines):
        line["event.sequence"] = n + 1
    return chained_anew(lines).encode().splitlines(keepends=True)


@pytest.mark.parametrize("where", ["first", "before the last"])
@pytest.mark.parametrize("rotated", [False, True], ids=["in the log", "in a rotated file"])
def test_a_genuine_line_among_forged_ones_vouches_for_none_of_them(lab, state, key, where, rotated):
    """What was anchored is there, and what stands around it does not follow it."""
    exeat = lab.exeat(ALLOWLIST, policy={"state": str(state)}, audit={"checkpoint_key": str(key)})
    exeat.start()
    refusals(exeat, 5)
    checkpoint(exeat)
    kill(exeat)
    raw = exeat.audit_path.read_bytes().splitlines(keepends=True)
    new = forged(raw)
    mixed = [raw[-1], *new] if where == "first" else [*new[:-1], raw[-1], new[-1]]
    exeat.audit_path.unlink()
    exeat.audit_path.with_name("audit.jsonl.1" if rotated else "audit.jsonl").write_bytes(b"".join(mixed))
    exeat.start()
    assert exeat.metric("audit_gaps_total") == 1 and "does not follow" in exeat.log()
    wait_until(lambda: len(exeat.audit(event__action="gap")) == 1)
    kill(exeat)


def test_a_crash_between_two_rotations_loses_no_number_and_uses_none_twice(lab, state, key):
    exeat = lab.exeat(ALLOWLIST, policy={"state": str(state)}, audit={"checkpoint_key": str(key)})
    exeat.start()
    refusals(exeat, 3)
    one, two = (exeat.audit_path.with_name(f"audit.jsonl-2026112{n}") for n in (6, 7))
    exeat.audit_path.rename(one)
    exeat.signal(signal.SIGUSR1)
    wait_until(lambda: exeat.audit_path.exists())
    refusals(exeat, 5)
    kill(exeat)
    exeat.audit_path.rename(two)
    exeat.start()
    refusals(exeat, 2)
    checkpoint(exeat)
    assert exeat.metric("audit_gaps_total") == 0
    for more in ({}, {"key": public(key)}, {"state": state}):
        done = verify(one, two, exeat.audit_path, **more)
        assert done.returncode == 0, (more, done)
    kill(exeat)
