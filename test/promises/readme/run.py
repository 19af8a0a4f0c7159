#!/usr/bin/env python3
"""Does what the documents say, in a copy of the tree, beside a running quickstart. Ends with `N passed, N failed`.

Every *.md file: the README first, which starts the quickstart, then the others in order. Their fences:
  sh run            started in the background; continues when the quickstart says that it is ready
  sh test [exit=N]  run at the top of the tree, where `exeat` is the built one, LOG the quickstart's audit log and LIST its allowlist; must
                    exit 0, or N
  sh                only parsed
  text output       what the block before printed, request ids aside
  text              only shown
  toml FILE         written to FILE and checked by `exeat check`
  nft               loaded in a network namespace of its own
  promql            every metric that is named exists in /metrics (as everywhere in the documents)
Another kind of fence is a mistake, except of a language that is only shown.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
STARTED = []
SHOWN = {"text", "promql", "python"}


def blocks(text):
    """(line, words of the fence, content) of each fenced block."""
    found, opened = [], None
    for n, line in enumerate(text.splitlines(), 1):
        if not line.startswith("```"):
            if opened:
                opened[2].append(line)
        elif opened:
            found.append((opened[0], opened[1], "\n".join(opened[2]) + "\n"))
            opened = None
        else:
            opened = (n, line[3:].split(), [])
    return found


def masked(text):
    return re.sub(r"\b[0-9a-f]{16}\b", "ID", text).strip()


def sh(command, at, **more):
    environment = dict(os.environ, PATH=f"{at}/build:{os.environ['PATH']}", LOG="build/quickstart/audit.jsonl", LIST="conf/quickstart-allowlist.toml")
    return subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=at, env=environment, capture_output=True, text=True, timeout=300, **more)


def start(command, at):
    log = open(at / "run.log", "w+")
    process = subprocess.Popen(["bash", "-c", command], cwd=at, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    STARTED.append(process)
    for _ in range(3000):
        said = (at / "run.log").read_text()
        if "Ctrl-C ends it" in said:
            return ""
        if process.poll() is not None:
            break
        time.sleep(0.1)
    return f"it did not get ready:\n{said}"


def ends_by_ctrl_c(process):
    os.killpg(process.pid, signal.SIGINT)
    try:
        status = process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return "Ctrl-C did not end it within 30 s"
    for _ in range(300):  # the last of the group may end after the first
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return "" if status == 0 else f"it ended with status {status}"
        time.sleep(0.1)
    return "Ctrl-C left a process behind"


class Reader:
    def __init__(self, at):
        self.at, self.said, self.passed, self.failed = at, "", 0, 0

    def result(self, name, problem):
        self.passed, self.failed = self.passed + (not problem), self.failed + bool(problem)
        print(f"{'FAILED' if problem else 'ok    '} {name}")
        for line in problem.splitlines():
            print(f"         {line}")

    def tested(self, words, content):
        wanted = next((int(w[5:]) for w in words if w.startswith("exit=")), 0)
        ran = sh(content, self.at)
        self.said = ran.stdout + ran.stderr
        return "" if ran.returncode == wanted else f"exit status {ran.returncode}, not {wanted}:\n{self.said}"

    def output(self, content):
        return "" if masked(content) == masked(self.said) else f"the document says:\n{content}\nbut it is:\n{self.said}"

    def configuration(self, name, content):
        (self.at / name).write_text(content)
        option = "--elsewhere --config " if name.endswith("exeat.toml") else ""
        ran = sh(f"build/exeat check --strict {option}{name}", self.at)
        return "" if ran.returncode == 0 else ran.stdout + ran.stderr

    def firewall(self, content):
        ran = sh("unshare -n nft -f -", self.at, input=content)
        return "" if ran.returncode == 0 else ran.stdout + ran.stderr

    def metrics(self, text):
        page = sh("curl -sS http://127.0.0.1:9464/metrics", self.at).stdout
        there = set(re.findall(r"^# TYPE (\w+)", page, re.M))
        there |= {f"{name}_{part}" for name in re.findall(r"^# TYPE (\w+) histogram", page, re.M) for part in ("bucket", "count", "sum")}
        named = set(re.findall(r"(?<![\w:/])exeat_\w+(?!:)", text))  # with a colon it is what a rule records
        return "".join(f"no metric {name}\n" for name in sorted(named - there))

    def block(self, words, content):
        match words:
            case ["sh", "run"]: return start(content, self.at)
            case ["sh", "test", *_]: return self.tested(words, content)
            case ["sh"]: return sh(f"bash -n <<'END'\n{content}\nEND", self.at).stderr
            case ["text", "output"]: return self.output(content)
            case ["toml", name]: return self.configuration(name, content)
            case ["nft"]: return self.firewall(content)
            case [language] if language in SHOWN: return None
        return "the test does not know this kind of block"

    def read(self, name):
        text, self.said = (self.at / name).read_text(), ""
        for line, words, content in blocks(text):
            problem = self.block(words, content)
            if problem is not None:
                self.result(f"{name}:{line} {' '.join(words)}", problem)
        if "exeat_" in text:
            self.result(f"{name}: every metric that it names is on /metrics", self.metrics(text))

    def end(self):
        for process in STARTED:
            self.result("Ctrl-C ends the quickstart", ends_by_ctrl_c(process))


def documents(at):
    names = sorted(str(f.relative_to(at)) for f in at.rglob("*.md") if f.relative_to(at).parts[0] != "build")
    return sorted(names, key=lambda name: name != "README.md")


def copy_of_the_tree(to):
    """The tree without what is built; its build/ is the one that stands, so that nothing is compiled twice."""
    shutil.copytree(TOP, to, ignore=lambda d, names: [n for n in names if n in (".git", "__pycache__") or (n == "build" and Path(d) == TOP)])
    (to / "build").symlink_to(TOP / "build")


def main():
    with tempfile.TemporaryDirectory(prefix="exeat-readme-") as scratch:
        at = Path(scratch) / "exeat"
        copy_of_the_tree(at)
        reader = Reader(at)
        try:
            for name in documents(at):
                reader.read(name)
            reader.end()
        finally:
            for process in STARTED:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
    print(f"{reader.passed} passed, {reader.failed} failed")
    return 1 if reader.failed or not reader.passed else 0


if __name__ == "__main__":
    sys.exit(main())
