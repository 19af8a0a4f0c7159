"""The manual pages and the completions say what exeat takes, all of it and nothing else."""
import importlib.util
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = TOP / "build"
EXEAT = os.environ.get("EXEAT_BIN", str(BUILD / "exeat"))
SUBJECTS = sorted((TOP / "src/manual").glob("*.md"))
PAGES = ["exeat.1", "exeat.toml.5", "allowlist.toml.5", *(f.stem for f in SUBJECTS)]

_spec = importlib.util.spec_from_file_location("manual", TOP / "src/manual.py")
manual = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(manual)
TOLD = manual.described(EXEAT)
FILES = {f["name"]: f for f in TOLD["files"]}
TABLES = [(f, t["title"]) for f in FILES for t in FILES[f]["tables"]] + [("exeat.toml", "")]

# What else a table needs, so that a key is read in its usual surroundings.
AROUND = {"account": 'upload = "1 MiB/1h"', "names": 'hosts = ["*.a.test"]', "via": 'mode = "transparent"', "port": 'mode = "sni"', "on_budget": 'upload = "1 MiB/1h"', "addresses": 'within = ["10.0.0.0/8"]',
          "rate": 'action = "throttle"', "keep": 'max_size = "1 MiB"'}


def keys_of(file, title):
    table = next((t for t in FILES[file]["tables"] if t["title"] == title), {"keys": [], "also": ""})
    keys = {k["name"]: k for k in table["keys"]}
    return {**keys_of(file, table["also"]), **keys} if table["also"] else keys


def subtables(file):
    """The tables that the top level has, as keys: [[allow]] is 'allow', [groups.NAME] is 'groups'."""
    return {t["title"].strip("[]").split(".")[0] for t in FILES[file]["tables"] if t["title"]}


def problems(tmp_path, file, title, line):
    """What check says, about a file in which this line stands in that table."""
    text = f"{title.replace('NAME', 'drip' if 'detect' in title else 'training')}\n{line}\n"
    if file == "allowlist.toml" and "groups" not in title:
        text += '[groups.training]\nsources = ["10.42.0.0/16"]\n'
    path = tmp_path / file
    path.write_text(text)
    (tmp_path / "names.txt").write_text("a.test\n")
    (tmp_path / "closed.txt").write_text("b.test\n")
    option = ["--config"] if file == "exeat.toml" else []
    said = subprocess.run([EXEAT, "check", "--format", "json", *option, path], capture_output=True, text=True, check=False)
    return [p["text"] for p in json.loads(said.stdout)["problems"]]


@pytest.mark.parametrize("file, title", TABLES)
def test_the_keys_that_the_loader_reads_are_the_documented_ones(tmp_path, file, title):
    said = next(p for p in problems(tmp_path, file, title, "qqqqqqqqqqqqqqqq = 1") if "unknown key" in p)
    read = set(re.findall(r"'(\w+)'", said.split("write one of")[1]))
    documented = set(keys_of(file, title)) | (set() if title else subtables(file))
    assert read == documented


@pytest.mark.parametrize("file, title", TABLES)
def test_every_documented_example_is_a_right_value(tmp_path, file, title):
    for name, key in keys_of(file, title).items():
        said = problems(tmp_path, file, title, f"{'' if title == '[admin]' else AROUND.get(name, '')}\n{name} = {key['example']}")
        bad = [p for p in said if f"'{name}'" in p and re.search(r"unknown key|must be|is not (?:a|an|the) |is empty|has no", p)]
        assert not bad, bad
        assert any("not enforced" in p for p in said) == (key["meaning"].startswith("Not enforced") and key["example"] != "[]"), said


def bounds_of(key):
    """("1", "1000") or ("1ms", "5m"), as documented; None: it has none, or those of a list."""
    found = re.fullmatch(r"(\w+) to (\w+)", key["bounds"])
    return found and found.groups()


def beyond(bound, by):
    """The number, or the duration, that lies just outside."""
    number, unit = re.fullmatch(r"(\d+)(\D*)", bound).groups()
    if unit and by < 0 and number == "1":
        number, unit = {"ms": (1, "ms"), "s": (1000, "ms"), "m": (60, "s"), "h": (60, "m"), "d": (24, "h")}[unit]
    beside = f"{int(number) + by}{unit}"
    return f'"{beside}"' if unit else beside


@pytest.mark.parametrize("file, title", TABLES)
def test_the_documented_bounds_are_those_that_hold(tmp_path, file, title):
    """At each bound a value is taken; one beyond it, the bounds are said."""
    for name, key in keys_of(file, title).items():
        if (bounds := bounds_of(key)) is None:
            continue
        for bound, by in zip(bounds, (-1, 1)):
            around = "" if title == "[admin]" else AROUND.get(name, "")
            right = f'"{bound}"' if key["type"] == "duration" else bound
            bad = [p for p in problems(tmp_path, file, title, f"{around}\n{name} = {right}") if f"'{name}' is " in p]
            assert not bad, bad
            said = problems(tmp_path, file, title, f"{around}\n{name} = {beyond(bound, by)}")
            assert any(f"'{name}' is " in p and p.endswith(f"from {bounds[0]} to {bounds[1]}") for p in said) or beyond(bound, by) == '"0ms"', (name, said)


def test_help_names_every_key_and_its_example():
    for file in FILES:
        said = subprocess.run([EXEAT, "help", file], capture_output=True, text=True, check=True).stdout
        for title in (t["title"] for t in FILES[file]["tables"]):
            for name, key in keys_of(file, title).items():
                assert f"  {name} = {key['example']}\n" in said


# ---- pages ----

@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_no_fault_that_man_or_mandoc_knows(page):
    for command in (["man", "--warnings", "-l"], ["mandoc", "-Tlint", "-Wstyle"]):
        done = subprocess.run([*command, BUILD / page], capture_output=True, text=True, check=False,
                              env=dict(os.environ, MANWIDTH="80", LC_ALL="C.UTF-8", MANPAGER="cat"))
        said = done.stderr if command[0] == "man" else done.stdout + done.stderr
        assert done.returncode == 0 and not said, said


def read_page(page):
    done = subprocess.run(["man", "-l", BUILD / page], capture_output=True, text=True, check=True,
                          env=dict(os.environ, MANWIDTH="200", LC_ALL="C.UTF-8", MANPAGER="cat", MANROFFOPT="-c"))
    return re.sub(".\x08", "", done.stdout)


def test_the_pages_have_every_verb_option_and_key():
    page = read_page("exeat.1")
    for form, options in manual.forms_of(TOLD):
        assert f"exeat {form}" in page
        for name in (n for o in manual.own(options) for n in o["names"]):
            assert name in page, f"{form} {name}"
    for file in FILES:
        page = read_page(f"{file}.5")
        for title in (t["title"] for t in FILES[file]["tables"]):
            for name, key in keys_of(file, title).items():
                assert f"{name} = {key['example']}" in page


def test_they_are_installed_where_man_and_the_shells_look(tmp_path):
    done = subprocess.run(["meson", "install", "--no-rebuild", "-C", BUILD], capture_output=True, text=True, check=False,
                          env=dict(os.environ, DESTDIR=str(tmp_path)))
    assert done.returncode == 0, done.stdout + done.stderr
    there = {str(f.relative_to(tmp_path)) for f in tmp_path.rglob("*") if f.is_file()}
    prefix = json.loads(subprocess.run(["meson", "introspect", "--buildoptions", BUILD], capture_output=True, text=True, check=True).stdout)
    prefix = next(o["value"] for o in prefix if o["name"] == "prefix")
    zsh = "vendor-completions" if prefix == "/usr" else "site-functions"
    for name in ("bin/exeat", "share/man/man1/exeat.1", "share/man/man5/exeat.toml.5", "share/man/man5/allowlist.toml.5",
                 *(f"share/man/man7/{f.stem}" for f in SUBJECTS), "share/bash-completion/completions/exeat.bash", f"share/zsh/{zsh}/_exeat",
                 "share/doc/exeat/examples/presets/python.toml"):
        assert f"{prefix}/{name}".lstrip("/") in there, sorted(there)


# ---- completions ----

def completed_by_bash(*words):
    """What bash offers for the last word."""
    line = " ".join(f"'{w}'" for w in words)
    script = f'source {BUILD}/exeat.bash; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _exeat; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return subprocess.run(["bash", "--norc", "-euc", script], capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("words, offered", [
    (["exeat", "exp"], ["explain"]), (["exeat", "check", "--str"], ["--strict"]), (["exeat", "check", "--format", ""], ["text", "json", "github"]),
    (["exeat", "help", "allow"], ["allowlist.toml"]), (["exeat", "import", ""], ["smokescreen", "squid"]),
    (["exeat", "preset", "tracking-w"], ["tracking-wandb"]), (["exeat", "preset", "--p"], ["--part"]),
    (["exeat", "import", "squid", "--de"], ["--deny"]), (["exeat", "import", "smokescreen", "--de"], []),
    (["exeat", "check", "--config", "-x"], []), (["exeat", "nonsense", "-"], []),
], ids=" ".join)
def test_bash_offers_what_fits(words, offered):
    assert completed_by_bash(*words) == offered


def test_bash_offers_every_option_of_every_verb():
    for form, options in manual.forms_of(TOLD):
        assert completed_by_bash("exeat", *form.split(), "--") == [n for o in options for n in o["names"] if n.startswith("--")], form


def typed(shell, prepared, keys, wanted):
    """What the shell's line editor shows after these keys, once it shows what is wanted."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(shell[0], shell, dict(os.environ, TERM="dumb", PS1="> ", HOME="/nonexistent", HISTFILE="/dev/null"))
    shown, begun, end = "", False, time.monotonic() + 60
    os.write(terminal, prepared.encode() + b"; echo READY''NOW\n")
    while time.monotonic() < end and not (begun and wanted in shown):
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 65536).decode(errors="replace")
        if not begun and "READYNOW" in shown:
            begun, shown = True, ""
            os.write(terminal, keys.encode())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    return shown


def test_tab_in_a_real_bash_completes():
    assert "import smokescreen " in typed(["bash", "--norc", "--noprofile", "-i"], f"source {BUILD}/exeat.bash", "exeat imp\tsmo\t", "import smokescreen ")


@pytest.mark.parametrize("keys, wanted", [("exeat expl\t", "explain "), ("exeat check --stri\t", "--strict"), ("exeat check --format gi\t", "github"),
                                          ("exeat import squ\t", "squid"), ("exeat help allo\t", "allowlist.toml"),
                                          ("exeat preset hugg\t", "hugging-face"), ("exeat preset --pa\t", "--part")])
def test_tab_in_a_real_zsh_completes(keys, wanted):
    prepared = f"fpath=({BUILD} $fpath); autoload -U compinit; compinit -u -D"
    assert wanted in typed(["zsh", "-f", "-i"], prepared, keys, wanted)
