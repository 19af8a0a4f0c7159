#!/usr/bin/env python3
"""The rules of the house, each one line: ok or FAILED with the places. Ends with `N passed, N failed`."""
import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
RULES = []


def rule(text):
    def keep(check):
        RULES.append((text, check))
        return check
    return keep


def tracked():
    """Every file of the repository: what git knows or would add, else what is there."""
    if (TOP / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(["git", "-c", f"safe.directory={TOP}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                cwd=TOP, capture_output=True, text=True)
        if listed.returncode == 0:
            return sorted(Path(name) for name in listed.stdout.split("\0") if name and (TOP / name).exists())
    skip = {"build", ".git", ".cache", "__pycache__"}
    return sorted(Path(d, f).relative_to(TOP) for d, dirs, files in os.walk(TOP) for f in files
                  if not skip & set(Path(d).relative_to(TOP).parts) and not f.endswith(".pyc"))


FILES = tracked()
TEXT = {}


def text(path):
    if path not in TEXT:
        TEXT[path] = (TOP / path).read_text(errors="replace")
    return TEXT[path]


def under(*roots, suffixes=(".cpp", ".hpp")):
    return [f for f in FILES if str(f).startswith(tuple(roots)) and f.suffix in suffixes]


CORE, NET, OPS, CLI = under("include/", "src/core/"), under("src/net/"), under("src/ops/"), under("src/cli/")
LIMITS = under("include/exeat/limits")
PRODUCT, TESTS = under("include/", "src/"), under("test/", "bench/", suffixes=(".cpp", ".hpp", ".py"))


def places(files, pattern, flags=0):
    """file:line of every line that the pattern is found in."""
    seek = re.compile(pattern, flags)
    return [f"{f}:{n}: {line.strip()}" for f in files for n, line in enumerate(text(f).splitlines(), 1) if seek.search(line)]


def without_comments(source):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", source, flags=re.S)


# ---- layers ----

@rule("the pure core includes no socket, file, clock, library of transport, nor a layer above it")
def core_is_pure():
    # arpa/inet.h is let in: inet_pton and inet_ntop are text to bytes and back
    outside = (r"boost/(asio|beast|json)|openssl|prometheus|ares|fmt|toml|CLI|sys/|netinet|unistd|fcntl|fstream|filesystem|iostream|cstdio|ctime"
               r"|thread|condition_variable|random|(\.\./)?(net|ops|cli)/")
    return places(CORE, rf'^\s*#\s*include\s*[<"]({outside})')


@rule("the pure core asks for no time, environment or random number")
def core_asks_nothing():
    return places(CORE, r"_clock::now\(|\bgetenv\(|\b(std::)?time\(|\brand\(")


@rule("net includes neither ops nor cli, ops does not include cli")
def layers_point_down():
    return places(NET, r'^\s*#\s*include\s*[<"](\.\./)?(ops|cli)/') + places(OPS, r'^\s*#\s*include\s*[<"](\.\./)?cli/')


# Each room of ops includes only itself and those before it; what stands in ops itself puts them together.
ROOMS = ["text", "files", "process", "policy", "approvals", "evidence", "state", "identity", "detection", "audit", "settings", "metrics", "admin", "offline"]


def room_of(f):
    return f.parts[2] if len(f.parts) > 3 else "wiring"


@rule("each room of ops includes only those above it, and what serves nothing of offline")
def rooms_point_up():
    order = [*ROOMS[:-1], "wiring", "offline"]
    wrong = [f"{f}: no such room" for f in OPS if room_of(f) not in order]
    for f in [f for f in OPS if room_of(f) in order]:
        for included in re.findall(r"#include <ops/(\w+)/\w+\.hpp>", text(f)):
            if order.index(included) > order.index(room_of(f)):
                wrong.append(f"{f}: includes {included}")
    return wrong + places([Path("src/cli/serve.cpp")], r"#include <ops/offline/")


@rule("a room has at most 25 units")
def room_sizes():
    units = {}
    for f in PRODUCT:
        units.setdefault(f.parent, set()).add(f.stem)
    return [f"{room}: {len(names)} units" for room, names in units.items() if len(names) > 25]


@rule("the top level is the agreed house")
def top_level():
    agreed = {"meson.build", "src", "include", "conf", "systemd", "bench", "test", "LICENSE", "README.md", "dev"}
    return sorted({f.parts[0] for f in FILES if f.parts[0] not in agreed and not f.parts[0].startswith(".")})


@rule("every source file and every test is built")
def everything_is_built():
    """By the meson.build of its own directory or of one above, which names it by the path from there."""
    wrong = []
    for f in under("src/", "test/", "bench/", suffixes=(".cpp",)):
        makers = [d for d in f.parents if d / "meson.build" in FILES]
        if not any(f"'{f.relative_to(d)}'" in text(d / "meson.build") for d in makers):
            wrong.append(str(f))
    return wrong


# ---- sizes ----

@rule("a file has at most 300 lines, a test at most 400, dev at most 250")
def file_sizes():
    bound = [(f, 300) for f in PRODUCT] + [(f, 400) for f in TESTS] + [(Path("dev"), 250)]
    return [f"{f}: {len(text(f).splitlines())} lines" for f, most in bound if len(text(f).splitlines()) > most]


@rule("a function has at most 70 lines, a table of cases at most 120")
def function_sizes():
    wrong = []
    for f in PRODUCT + [t for t in TESTS if t.suffix != ".py"]:
        most = 70 if f in PRODUCT else 120
        opened = {}  # .clang-format puts a function's braces on lines of their own
        for n, line in enumerate(text(f).splitlines(), 1):
            if re.fullmatch(r" *\{", line):
                opened[len(line)] = n
            elif (close := re.fullmatch(r"( *)\}(;|\);)?", line)) and (start := opened.pop(len(close[1]) + 1, None)) and n - start - 1 > most:
                wrong.append(f"{f}:{start}: {n - start - 1} lines")
    for f in (t for t in TESTS if t.suffix == ".py"):
        for node in ast.walk(ast.parse(text(f))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno > 70:
                wrong.append(f"{f}:{node.lineno}: {node.end_lineno - node.lineno} lines")
    return wrong


# ---- words ----

@rule("no file is called util, common, manager, helper or impl")
def file_names():
    allowed = {"asio_impl.cpp", "json_impl.cpp", "ssl_impl.cpp", "url_impl.cpp"}  # what a header-only library calls its one compiled file
    return [str(f) for f in PRODUCT + TESTS if re.search(r"util|common|manager|helper|impl", f.stem) and f.name not in allowed]


@rule("no get_ name, no shared_from_this")
def names():
    wrong = []
    for f in PRODUCT:
        for n, line in enumerate(without_strings(f).splitlines(), 1):
            # called on others' types they are theirs; get_return_object is the coroutine's contract
            if re.search(r"(?<![.>:])\bget_(?!return_object\b)\w+|shared_from_this", line):
                wrong.append(f"{f}:{n}: {line.strip()}")
    return wrong


def without_strings(f):
    """The code alone, line for line."""
    return "\n".join(re.sub(r'"(\\.|[^"\\])*"|//.*', "", line) for line in text(f).splitlines())


@rule("nothing is left undone by its own words")
def left_undone():
    words = "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK", "not " + "implemented", "place" + "holder"])
    return places([f for f in FILES if f.name != "LICENSE" and f.parts[0] != "test"], rf"\b({words})\b") + \
        places(TESTS, r"\b(TO" + r"DO|FIX" + r"ME)\b")


@rule("a public header begins with a comment that says what it owns")
def header_comments():
    return [str(f) for f in under("include/") if not text(f).startswith("// ")]


@rule("no tab and no blank at a line's end")
def blanks():
    return [p.split(": ")[0] for p in places([f for f in FILES if f.name != "LICENSE" and "\0" not in text(f)], r"\t|[ \r]$")]


@rule("every limit is used")
def limits_are_used():
    defined = re.findall(r"^inline constexpr .*?(\w+) = (.*?);", "".join(text(f) for f in LIMITS), re.M)
    code = "\n".join(without_comments(text(f)) for f in PRODUCT if f not in LIMITS)
    used = {name for name, _ in defined if re.search(rf"limits::{name}\b", code)}
    for _ in defined:  # a limit may be there for another one
        used |= {name for name, _ in defined for other, value in defined if other in used and re.search(rf"\b{name}\b", value)}
    return [name for name, _ in defined if name not in used]


@rule("every limit has a test that goes to its value and one beyond, or says why it is but tuning")
def limits_are_tested():
    table = Path("test/promises/tidy/limits.txt")
    rows = [line.split(None, 1) for line in text(table).splitlines() if line and not line.startswith("#")]
    defined = re.findall(r"^inline constexpr .*?(\w+)(?: =|\{)", "".join(text(f) for f in LIMITS), re.M)
    listed = [row[0] for row in rows]
    wrong = [f"{name}: not in {table}" for name in defined if name not in listed]
    wrong += [f"{table}: {name} is no limit, or stands there twice" for name in listed if name not in defined or listed.count(name) > 1]
    tests = set(re.findall(r'TEST_CASE\w*\("([^"]*)"|^def (test_\w+)', "\n".join(text(f) for f in TESTS), re.M))
    known = {name for pair in tests for name in pair if name}
    return wrong + [f"{table}: {row[0]}: no test is called {row[1:]}" for row in rows
                    if len(row) < 2 or not (re.match(r"tuning: \w", row[1]) or row[1] in known)]


# ---- tests ----

@rule("a test's name is there once")
def test_names():
    seen, wrong = {}, []
    for f in TESTS:
        found = re.findall(r'^TEST_CASE(?:_TEMPLATE|_FIXTURE)?\((?:\w+, )?"([^"]*)"', text(f), re.M) if f.suffix == ".cpp" else \
            [f"{f}: {name}" for name in re.findall(r"^def (test_\w+)", text(f), re.M)]
        for name in found:
            if name in seen:
                wrong.append(f"{name}: in {seen[name]} and {f}")
            seen[name] = f
    return wrong


@rule("no test is switched off")
def none_switched_off():
    off = "|".join([r"doctest::(skip|should_fail|may_" + "fail)", r"mark\.(xfail|skip" + r"\b)", r"^\s*//\s*(CHECK|REQUIRE)"])
    return places(TESTS, off)


# ---- what a reader meets ----

DOCUMENTS = [f for f in FILES if f.suffix == ".md"]


def without_fences(f):
    """The lines of a document, numbered, without its fenced blocks."""
    inside = False
    for n, line in enumerate(text(f).splitlines(), 1):
        inside ^= line.startswith("```")
        if not inside and not line.startswith("```"):
            yield n, line


def anchors(f):
    """As a forge makes them of the headings."""
    heads = [line.lstrip("#") for _, line in without_fences(f) if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", head.strip().lower()).replace(" ", "-") for head in heads}


@rule("every path that a document names is there, and every link leads to a heading")
def document_paths():
    wrong = []
    for f in DOCUMENTS:
        for n, line in without_fences(f):
            for path in re.findall(r"`((?:src|include|conf|systemd|bench|test)/[\w./@-]*)`", line):
                wrong += [] if (TOP / path).exists() else [f"{f}:{n}: {path}"]
            for path, anchor in re.findall(r"\]\((?![a-z]+:)([^)#\s]*)(?:#([^)]*))?\)", line):
                to = Path(os.path.relpath(TOP / f.parent / path, TOP)) if path else f
                there = (TOP / to).exists() and (not anchor or (to in FILES and anchor in anchors(to)))
                wrong += [] if there else [f"{f}:{n}: {path}#{anchor}"]
    return wrong


@rule("a document's line has at most 120 characters, and the README 250 lines and 14 KiB")
def document_sizes():
    wrong = [f"{f}:{n}: {len(line)} characters" for f in DOCUMENTS for n, line in enumerate(text(f).splitlines(), 1)
             if len(line) > 120 and not re.fullmatch(r"\S+", line)]
    readme = text(Path("README.md"))
    return wrong + ([f"README.md: {readme.count(chr(10))} lines, {len(readme.encode())} bytes"]
                    if readme.count("\n") > 250 or len(readme.encode()) > 14 * 1024 else [])


@rule("documents are in plain modern English")
def document_words():
    idioms = re.compile(r"\b(m" + r"end(s|ed|ing)?|told|goes(?! on)|stands?(?! for)|so man" + r"y|by itself|made known|rings?|swallow(s|ed)?|hence|thereof|whence)\b", re.I)
    return [f"{f}:{n}: {found[0]}: {line.strip()[:80]}" for f in DOCUMENTS for n, line in without_fences(f) if (found := idioms.search(line))]


@rule("every verb of dev is in its help, and the documents' verbs exist")
def dev_verbs():
    script = text(Path("dev"))
    verbs = set(re.findall(r"^  ([a-z]+)\)", script[script.index("case ${1:-help} in"):], re.M))
    helped = set(re.findall(r"^\./dev ([a-z]+)", script, re.M))
    named = {verb for f in DOCUMENTS for verb in re.findall(r"\./dev ([a-z]+)", text(f))}
    return sorted((verbs - helped - {"help"}) | (helped - verbs - {"help"}) | (named - verbs - {"help"}))


# ---- tools ----

def tool(command, files):
    if not shutil.which(command[0]):
        return [f"{command[0]} is not installed; ./dev tidy installs it"]
    ran = subprocess.run([*command, *map(str, files)], cwd=TOP, capture_output=True, text=True)
    said = (ran.stdout + ran.stderr).splitlines()
    return [] if ran.returncode == 0 else [line for line in said if re.search(r":\d+: (error|warning|note):", line)] or said[:20]


@rule("clang-format has nothing to change")
def formatted():
    wrong = tool(["clang-format-14", "--dry-run", "-Werror"], under("include/", "src/", "test/", "bench/"))
    first = {}
    for place in wrong:
        first.setdefault(place.split(":")[0], place.split(": error")[0])
    return list(first.values())


@rule("shellcheck finds nothing in the shell scripts")
def shell():
    return tool(["shellcheck", "-f", "gcc"], [f for f in FILES if f.suffix == ".sh" or re.match(r"#!.*\b(ba)?sh\b", text(f))])


@rule("every Python file compiles")
def python():
    wrong = []
    for f in (f for f in FILES if f.suffix == ".py"):
        try:
            compile(text(f), str(f), "exec")
        except SyntaxError as e:
            wrong.append(f"{f}:{e.lineno}: {e.msg}")
    return wrong


def main():
    failed = 0
    for said, check in RULES:
        wrong = check()
        failed += bool(wrong)
        print(f"{'FAILED' if wrong else 'ok    '} {said}")
        for line in wrong[:30]:
            print(f"         {line}")
        if len(wrong) > 30:
            print(f"         and {len(wrong) - 30} more")
    print(f"{len(RULES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
