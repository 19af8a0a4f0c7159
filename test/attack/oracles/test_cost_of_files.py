"""What files cost that others write: lists and logs, read by the real binary. CPU of the whole process, less that of one with next to nothing to
read: beside an honest file of the same size in the same run, and for twice the size."""
import hashlib
import os
import subprocess

import pytest
from harness.exeat import BINARY, run
from harness.wait import sanitized

MOST_BESIDE_HONEST = 20  # times the CPU
MOST_GROWTH = 3  # for twice the size: two is linear, four is a square
REPETITIONS = 3
OCTETS = 1 << 20
MEASURABLE = 0.02  # seconds; what costs less than this at twice the size grows in the noise
TURNS = 5  # a neighbour of the machine spoils one measurement; a square is one each time

pytestmark = pytest.mark.skipif(sanitized, reason="a sanitizer's cost is not exeat's")


def seconds_of(*argv):
    """User and system time of one run, whatever it says."""
    least = []
    for _ in range(REPETITIONS):
        process = subprocess.Popen([BINARY, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
        least.append(used.ru_utime + used.ru_stime)
    return min(least)


def up_to(octets, part):
    """part(0), part(1), ... as far as they fit."""
    out, size, n = [], 0, 0
    while True:
        out.append(part(n))
        size += len(out[-1])
        n += 1
        if size >= octets:
            return "".join(out)


GROUP = 'serial = 1\n[groups.all]\nsources = ["10.0.0.0/8"]\n'
ENTRY = '[[allow]]\nname = "a"\nreason = "r"\nowner = "o"\n'
LISTS = {
    "mistakes": lambda n: GROUP + ENTRY + up_to(n, lambda i: f"hots{i} = 1\n"),
    "the same name": lambda n: GROUP + ENTRY + "hosts = [" + up_to(n, lambda i: '"a.ok.test",') + "]\n",
    "wildcards above each other": lambda n: GROUP + ENTRY + "hosts = [" + up_to(n, lambda i: f'"**.{"a." * (i % 100)}ok{i}.test",') + "]\n",
    "names that are none": lambda n: GROUP + ENTRY + "hosts = [" + up_to(n, lambda i: f'"*{i}*",') + "]\n",
    "brackets": lambda n: GROUP + "x = " + "[" * n + "\n",
    "braces": lambda n: GROUP + "x = " + "{a=" * (n // 3) + "\n",
    "dotted keys": lambda n: GROUP + "a." * (n // 2) + "b = 1\n",
    "tables": lambda n: GROUP + up_to(n, lambda i: f"[t{i}.a]\n"),
    "entries": lambda n: GROUP + up_to(n, lambda i: f'[[allow]]\nname = "n{i}"\n'),
    "a long text": lambda n: GROUP + ENTRY + 'reason = "' + "\\u0041" * (n // 6) + '"\n',
    "comments": lambda n: GROUP + up_to(n, lambda i: "#\n"),
    "control octets": lambda n: GROUP + "\x01" * n,
}
HOSTS = {
    "the same name": lambda n: up_to(n, lambda i: "a.ok.test\n"),
    "deep names": lambda n: up_to(n, lambda i: "a." * 100 + f"ok{i}.test\n"),
    "mistakes": lambda n: up_to(n, lambda i: f"*{i}*\n"),
    "empty lines": lambda n: up_to(n, lambda i: "\n"),
    "comments": lambda n: up_to(n, lambda i: "#" * 4000 + "\n"),
    "one line": lambda n: "a" * n,
    "wildcards": lambda n: up_to(n, lambda i: f"**.a{i}.ok.test\n"),
}
FOREIGN = {  # lines that exeat did not write
    "one line": lambda n: "a" * n,
    "brackets": lambda n: up_to(n, lambda i: "[" * 8000 + "\n"),
    "objects in objects": lambda n: up_to(n, lambda i: '{"a":' * 1500 + "\n"),
    "texts of escapes": lambda n: up_to(n, lambda i: '{"a":"' + "\\u0001" * 1500 + '"}\n'),
    "many keys": lambda n: up_to(n, lambda i: "{" + ",".join(f'"k{k}":1' for k in range(900)) + "}\n"),
}
CHAINED = {  # what a line has beside its place in the chain, so that it verifies
    "lists in lists": '"a":[' + ",".join(["[" * 28 + "]" * 28] * 200) + "]",
    "texts of escapes": '"a":"' + "\\u0001" * 1500 + '"',
    "many keys": ",".join(f'"k{k}":1' for k in range(900)),
    "the same key": ",".join(['"a":1'] * 1500),
    "long numbers": '"a":0.' + "1" * 12000,
    "next to nothing": '"a":1',
}


def chained(octets, part):
    previous = "0" * 64

    def line(i):
        nonlocal previous
        text = f'{{"event.sequence":{i + 1},{part(i)},"exeat.audit.previous":"{previous}"}}'
        previous = hashlib.sha256(text.encode()).hexdigest()
        return text + "\n"
    return up_to(octets, line)


def honest_list(octets):
    return GROUP + ENTRY + "hosts = [" + up_to(octets, lambda i: f'"files-{i}.packages.ok.test",') + "]\n"


def honest_hosts(octets):
    return up_to(octets, lambda i: f"files-{i}.packages.ok.test\n")


def honest_log(octets):
    return chained(octets, lambda i: f'"@timestamp":"2026-11-01T10:00:00.000000Z","event.action":"open","event.id":"{i:016x}","source.ip":"10.1.2.3",'
                   '"destination.domain":"files.packages.ok.test","destination.port":443,"rule.name":"packages"')


def hosts_list(directory, hosts):
    (directory / "hosts.txt").write_text(hosts)
    return GROUP + ENTRY + 'hosts_file = "hosts.txt"\n'


def judge(measured, what, cpu_of, honest, adversarial):
    nothing = cpu_of(lambda n: "", 0)
    of = lambda make, octets: max(cpu_of(make, octets) - nothing, 0.001)  # the clock's step
    for _ in range(TURNS):
        beside, half, whole = of(honest, 2 * OCTETS), of(adversarial, OCTETS), of(adversarial, 2 * OCTETS)
        linear = whole <= MEASURABLE or whole <= MOST_GROWTH * half
        if linear and whole <= MOST_BESIDE_HONEST * beside:
            break
    measured(f"{what}: {whole / beside:.2f} times the CPU of honest ones, {whole / half:.2f} times for twice the size")
    assert whole <= MOST_BESIDE_HONEST * beside
    assert linear


@pytest.mark.parametrize("kind", LISTS)
def test_an_allowlist_costs_as_much_as_it_is_long(tmp_path, measured, kind):
    def check(make, octets):
        (tmp_path / "allowlist.toml").write_text(make(octets) or GROUP)
        return seconds_of("check", tmp_path / "allowlist.toml")
    judge(measured, f"an allowlist of {kind}", check, honest_list, LISTS[kind])


@pytest.mark.parametrize("kind", HOSTS)
def test_a_hosts_file_costs_as_much_as_it_is_long(tmp_path, measured, kind):
    def check(make, octets):
        (tmp_path / "allowlist.toml").write_text(hosts_list(tmp_path, make(octets) or "a.ok.test\n"))
        return seconds_of("check", tmp_path / "allowlist.toml")
    judge(measured, f"a hosts_file of {kind}", check, honest_hosts, HOSTS[kind])


def of_log(verb, directory, make, octets):
    (directory / "audit.jsonl").write_text(make(octets))
    return seconds_of(verb, "--audit", directory / "audit.jsonl")


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_log_of_others_costs_as_much_as_it_is_long(tmp_path, measured, kind):
    judge(measured, f"suggest of a log of {kind}", lambda make, n: of_log("suggest", tmp_path, make, n), honest_log, FOREIGN[kind])


@pytest.mark.parametrize("kind", CHAINED)
@pytest.mark.parametrize("verb", ["verify", "suggest"])
def test_a_log_costs_as_much_as_it_is_long(tmp_path, measured, verb, kind):
    judge(measured, f"{verb} of a log of lines with {kind}", lambda make, n: of_log(verb, tmp_path, make, n), honest_log,
          lambda n: chained(n, lambda i: CHAINED[kind]))
    assert run("verify", "--audit", tmp_path / "audit.jsonl").returncode == 0, "all of it was read"
