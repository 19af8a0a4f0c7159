"""run.py KIND...: runs the tests on the release build, which ./dev has made, lane beside lane, and counts. The last line is `N passed, N failed`.

Most tests wait more than they compute, so the lanes share the cores: the system's suite on the release build, the same on the sanitized build, the network's
fence with what attacks, and all else one after the other; and the other builds are made beside the first tests, at a lower priority. Unit
tests are compiled once, with AddressSanitizer. What crashes, hangs or runs nothing has failed.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
LOGS = TOP / "build/log"
PATIENCE = 3000  # seconds for one part
PYTHON = "/usr/bin/python3"  # Debian's, which has the modules
# A sanitizer's finding is fatal at once, so that no test can pass over one.
ENVIRONMENT = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1",
                   UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1", TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1")


class Part:
    """One command with the counts in its output. `needs`: the build that it waits for."""

    def __init__(self, name, *argv, needs=None, **environment):
        self.name, self.argv, self.needs, self.environment = name, [str(a) for a in argv], needs, environment


class Build:
    """One more kind of build; `targets`: of it, if not all."""

    def __init__(self, kind, *targets):
        self.kind, self.argv, self.done, self.made = kind, ["nice", "-n", "10", str(TOP / "dev"), "build", kind, *targets], threading.Event(), False

    def make(self):
        began, log = time.monotonic(), LOGS / f"build-{self.kind}.log"
        with log.open("wb") as out:
            self.made = subprocess.run(self.argv, cwd=TOP, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=False).returncode == 0
        if not self.made:
            lines = [line for line in log.read_text(errors="replace").splitlines() if not line.startswith("[")]
            print("\n".join("    " + line for line in lines[:60]), flush=True)
        print(f"build {self.kind:7} {'' if self.made else 'FAILED '}({time.monotonic() - began:.0f} s)", flush=True)
        self.done.set()




def as_root(argv):
    return argv if os.geteuid() == 0 else ("sudo", "--preserve-env", *argv)


def doctest(name, program, needs=None):
    return Part(name, TOP / program, needs=needs)


def pytest(name, *places, binary="build/exeat", **environment):
    return Part(name, *as_root((PYTHON, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", "--durations=10",
                           "--durations-min=1", *(TOP / place for place in places))),
                needs=next((b for b in ("asan", "tsan") if f"/{b}/" in binary), None), EXEAT_BIN=str(TOP / binary), **environment)


def on_tsan():
    part = pytest("tsan", "test/system/test_reload_under_load.py", binary="build/tsan/exeat", EXEAT_SLOW="1")
    if shutil.which("setarch") and subprocess.run(["setarch", "-R", "true"], check=False, capture_output=True).returncode == 0:
        part.argv[:0] = ["setarch", "-R"]  # GCC 12's ThreadSanitizer cannot live with much address space randomisation
    return part


# What only runs verbs, which are the release's in a sanitized build too.
OF_VERBS = {f"test_{name}.py" for name in ("ci_example", "diff", "import", "output", "presets", "signing", "top", "top_terminal", "units")}
SERVING = sorted(f"test/system/{f.name}" for f in (TOP / "test/system").glob("test_*.py") if f.name not in OF_VERBS)

BUILDS = {"asan": Build("asan"), "fuzz": Build("fuzz"), "tsan": Build("tsan", "exeatd")}

# Kind -> lane -> its parts.
KINDS = {
    **{suite: {"rest": [doctest(suite, f"build/asan/test/test-{suite}", needs="asan")]} for suite in ("core", "ops", "net")},
    "tidy": {"rest": [Part("tidy", PYTHON, TOP / "test/promises/tidy/tidy.py")]},
    "bench": {"rest": [pytest("bench", "test/promises/bench")]},
    "golden": {"rest": [pytest("golden", "test/promises/golden")]},
    "manual": {"rest": [pytest("manual", "test/promises/manual")]},
    "readme": {"rest": [Part("readme", PYTHON, TOP / "test/promises/readme/run.py")]},
    "machine": {"rest": [pytest("machine", "test/field/machine")]},
    "differential": {"rest": [doctest("differential", "build/test/attack/differential/test-differential"), pytest("differential-daemons", "test/attack/differential")]},
    "fuzz": {"rest": [Part("fuzz", PYTHON, TOP / "test/attack/fuzz/run.py", needs="fuzz")]},
    "system": {"release": [pytest("system", "test/system")]},
    "redteam": {"fence": [pytest("redteam", "test/attack/redteam")]},
    "oracles": {"fence": [pytest("oracles", "test/attack/oracles")], "rest": [doctest("seams", "build/asan/test/test-seams", needs="asan"), Part("cost-gates", TOP / "build/test/attack/oracles/cost-gates")]},
    "manifests": {"fence": [pytest("manifests", "test/field/manifests")]},
    "conformance": {"fence": [pytest("conformance", "test/field/conformance")]},
    "monitoring": {"fence": [pytest("monitoring", "test/field/monitoring")]},
    "page": {"fence": [pytest("page", "test/field/page")]},
    "clients": {"fence": [pytest("clients", "test/field/clients")]},
    "soak": {"fence": [pytest("soak", "test/field/soak")]},
    "asan": {"sanitized": [pytest("asan-system", *SERVING, binary="build/asan/exeat", EXEAT_SLOW="1")]},
    "asan-redteam": {"sanitized": [pytest("asan-redteam", "test/attack/redteam", binary="build/asan/exeat", EXEAT_SLOW="1")]},
    "tsan": {"sanitized": [on_tsan()]},
}


named = []  # A line for each test that failed, of all parts.


def counted(log):
    """Passed, failed and skipped by the last line of doctest, pytest or our own that has such counts."""
    last = None
    for line in log.splitlines():
        if re.match(r"\[doctest\] test cases:|(=+ )?\d+ [a-z, 0-9]+ in [0-9.]+s|\d+ passed, \d+ failed", line):
            last = line
    of = lambda word: sum(int(n) for n in re.findall(rf"(\d+) {word}\b", last or ""))
    return of("passed"), of("failed") + of("errors?"), of("skipped")


def failures(log):
    """The tests that failed, each by its line in the summaries of pytest and doctest: what is worth saying once more at the very end."""
    return re.findall(r"^(?:FAILED|ERROR) .*|^TEST CASE: .*", log, flags=re.M)


slowest = []  # (seconds, part, test) of the ten slowest of each part


def durations(log):
    return [(float(seconds), test) for seconds, test in re.findall(r"^(\d+\.\d+)s call +(\S+)", log, flags=re.M)]


def run(part):
    if part.needs:
        BUILDS[part.needs].done.wait()
        if not BUILDS[part.needs].made:
            named.append(f"failed: {part.name}: there is no {part.needs} build")
            return 0, 1, 0
    log, began = LOGS / f"{part.name}.log", time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(part.argv, cwd=TOP, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                                   env=dict(ENVIRONMENT, **part.environment))
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            status = f"none after {PATIENCE} s"
    text = log.read_text(errors="replace")
    passed, failed, skipped = counted(text)
    slowest.extend((seconds, part.name, test) for seconds, test in durations(text))
    told = []
    if not failed and (status != 0 or not passed):
        failed = 1
        text += f"ERROR {part.name} ended with status {status}, {passed} passed, and names no failed test\n"
    if failed:
        named.extend(f"failed: {part.name}: {line[:300]}" for line in failures(text))
        told += ["    " + line for line in text.splitlines()[-60:]]
    told += ["    " + line for line in text.splitlines() if line.startswith(("skipped:", "SKIPPED", "redteam: ", "measured: "))][:20]
    told.append(f"{part.name:20} {passed:5} passed, {failed} failed, {skipped} skipped  ({time.monotonic() - began:.0f} s)")
    print("\n".join(told), flush=True)
    return passed, failed, skipped


def main():
    lanes = {}
    for kind in sys.argv[1:]:
        for lane, parts in KINDS[kind].items():
            lanes.setdefault(lane, []).extend(parts)
    for parts in lanes.values():
        parts.sort(key=lambda part: part.needs is not None)  # what has to wait for a build holds up nothing else
    LOGS.mkdir(parents=True, exist_ok=True)
    totals = []
    needed = {part.needs for parts in lanes.values() for part in parts}
    builders = [threading.Thread(target=lambda: [b.make() for kind, b in BUILDS.items() if kind in needed])]
    threads = builders + [threading.Thread(target=lambda parts=parts: totals.extend(run(p) for p in parts)) for parts in lanes.values()]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    passed, failed, skipped = (sum(column) for column in zip(*totals))
    print("the slowest: " + "; ".join(f"{seconds:.0f} s {part} {test.rpartition('/')[2]}" for seconds, part, test in sorted(slowest, reverse=True)[:10]))
    print("".join(line + "\n" for line in named), end="")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
