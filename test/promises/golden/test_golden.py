"""What `exeat check` says of each file in cases, to the letter: NAME.txt, and where they are there NAME.json and NAME.github.

A moment in a case is written {{+3d}}, from now on. To take what it says now as right: GOLDEN_UPDATE=1; then read the difference.
"""
import datetime
import json
import os
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[2]
CASES = HERE / "cases"
EXEAT = os.environ.get("EXEAT_BIN", str(TOP / "build/exeat"))
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(minutes=-1)
FORMATS = {".txt": "text", ".json": "json", ".github": "github"}
RUNS = [(case.stem, suffix) for case in sorted(CASES.glob("*.toml")) for suffix in FORMATS if suffix == ".txt" or (CASES / (case.stem + suffix)).exists()]

# What the coverage below does not ask for, and where it is tested instead.
ELSEWHERE = {
    "{ training = ": "an example", "SHA-256 could not be taken": "a broken OpenSSL cannot be had",
    "that is more than": "test_limits_of_allowlist.cpp", "hosts in all": "test_limits_of_allowlist.cpp", "entries; {} at most": "test_limits_of_allowlist.cpp",
    "groups; {} at most": "test_limits_of_allowlist.cpp", "is not a regular file": "test_load_allowlist.cpp", "larger than {} MiB": "test_limits_of_allowlist.cpp",
    "cannot be read: {}": "a disk that fails cannot be had", "the line is too long": "test_hosts_file.cpp",
    "[[{}]]; write {} at most": "test_limits_of_allowlist.cpp", "in [sandbox] read": "test_sandbox.py",
    "does not end with the line": "test_end_mark.cpp",
}
SOURCES = ["allowlist_draft", "allowlist_entries", "expectations", "file_source", "diagnostics", "host_text", "hosts_file", "lint", "lint_lookalikes", "lint_overlaps",
           "load_config", "read_policy", "networks", "read_budgets", "section", "meant_value", "shared_suffixes", "toml_source", "toml_mistakes", "did_you_mean", "read_audit", "read_detectors", "read_site"]


def moment(days):
    return (NOW + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def filled(text):
    return re.sub(rb"\{\{([+-]\d+)d\}\}", lambda m: moment(int(m[1])).encode(), text)


def masked(text):
    """Moments and hashes as a case writes them."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "SHA", text)
    for days in range(-30, 31):
        text = text.replace(moment(days), f"{{{{{days:+}d}}}}")
    return re.sub(r"(write report_until = )\S+", r"\1SOON", text)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The cases as they are today."""
    at = tmp_path_factory.mktemp("cases")
    for case in [*CASES.glob("*.toml"), *CASES.glob("*.names"), *CASES.glob("*.d/*.toml")]:
        to = at / case.relative_to(CASES)
        to.parent.mkdir(exist_ok=True)
        to.write_bytes(filled(case.read_bytes()))
    return at


@pytest.mark.parametrize("name, suffix", RUNS)
def test_a_file_is_told_of_to_the_letter(files, name, suffix):
    option = ["--elsewhere", "--config"] if name.startswith("exeat-") else []
    done = subprocess.run([EXEAT, "check", "--format", FORMATS[suffix], *option, f"{name}.toml"], cwd=files, capture_output=True, text=True, check=False)
    said, golden = masked(done.stdout), CASES / (name + suffix)
    if suffix == ".json":
        said = json.dumps(json.loads(said), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("GOLDEN_UPDATE"):
        golden.write_text(said)
    assert said == golden.read_text() and not done.stderr
    errors = re.search(r"error", done.stdout) and not re.search(r"^0 errors|\"errors\":0", done.stdout, re.M)
    assert done.returncode == (1 if errors else 0)


def texts_in(source):
    """Every text in a C++ source that is long enough to be a diagnostic or a part of one."""
    source = re.sub(r"^\s*//.*$|^#include.*$|^constexpr toml_key.*$|^\s*constexpr toml_key.*$", "", source, flags=re.M)
    for found in re.finditer(r'"(?:\\.|[^"\\\n])*"(?:\s*"(?:\\.|[^"\\\n])*")*', source):
        text = "".join(re.findall(r'"((?:\\.|[^"\\\n])*)"', found[0])).replace('\\"', '"').replace("\\\\", "\\")
        if len(text) >= 18 and " " in text:
            yield text


@pytest.mark.parametrize("source", SOURCES)
def test_every_diagnostic_stands_in_a_golden_file(source):
    told = "\n".join(golden.read_text() for golden in CASES.glob("*.txt"))
    missing = []
    for text in texts_in(next((TOP / "src/ops").rglob(f"{source}.cpp")).read_text()):
        pattern = ".*?".join(map(re.escape, re.split(r"\{[^{}]*\}", text)))
        if not any(known in text for known in ELSEWHERE) and not re.search(pattern, told):
            missing.append(text)
    assert not missing


def test_every_golden_file_has_its_case():
    assert {g.stem for g in CASES.iterdir() if g.suffix in FORMATS} == {c.stem for c in CASES.glob("*.toml")}
