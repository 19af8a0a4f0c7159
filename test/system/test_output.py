"""What verbs print: never a control character raw, whatever files, names and logs hold; and never half of it with the exit code of the whole."""
import json
import re
import subprocess
import unicodedata

import pytest
from harness.exeat import BINARY, REPOSITORY, run
from harness.wait import seconds

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202e\u009b31m\u0085\u2066\u200b\ufeff\x7f\b\r"  # a title, an erased screen, C1, overrides, nothing, DEL
NAME = HOSTILE + "\nallowlist.toml: all is well"
ESCAPED = "".join(f"\\u{ord(c):04x}" for c in HOSTILE)
UNSEEN = "\u202e\u2066\u200b\ufeff"  # what a list may say of an entry: it has no control character
LOUD = f"""
serial = 7
expires = 2999-01-01T00:00:00Z
deny_help = "{ESCAPED}"
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "sites"
hosts = ["site.print.test"]
owner = "{ESCAPED}"
reason = "{ESCAPED}\\nforged: a line"
ticket = "{ESCAPED}"
expires = 2998-01-01T00:00:00Z
"""
LIST = LOUD.replace(ESCAPED, UNSEEN).replace("\\nforged: a line", "")
BROKEN = f"""
serial = 7
"{ESCAPED}" = 1
[groups."{ESCAPED}"]
sources = ["{ESCAPED}"]
[[allow]]
name = "{ESCAPED}"
hosts = ["{ESCAPED}", "b.test"]
protocol = "{ESCAPED}"
"""


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A directory, and in it files, that are called what nobody should print."""
    at = tmp_path_factory.mktemp("print") / NAME
    at.mkdir()
    (at / "allowlist.toml").write_text(LIST)
    (at / "wide.toml").write_text(LIST.replace('"site.print.test"', '"site.print.test", "more.print.test"'))
    (at / "broken.toml").write_text(BROKEN)
    (at / "loud.toml").write_text(LOUD)
    (at / "raw.toml").write_bytes(b'serial = "\x1b[31m\xff\x9b\xe2\x80\xae\n')
    line = {"event.sequence": 1, "event.action": "deny", "event.reason": HOSTILE, "destination.domain": HOSTILE, "source.ip": HOSTILE, "@timestamp": HOSTILE}
    (at / "hostile.jsonl").write_text(json.dumps(line, ensure_ascii=False) + "\n" + HOSTILE + "\n")
    (at / "acl.yaml").write_text(f'version: v1\nservices:\n  - name: "{ESCAPED}"\n    project: "{ESCAPED}"\n    action: "{ESCAPED}"\n    allowed_domains: ["{ESCAPED}"]\n')
    (at / "dstdomain").write_text(f"# {HOSTILE}\n.{HOSTILE}\n")
    assert run("keygen", at / "key").returncode == 0
    with_state(at)
    return at


def with_state(at):
    """An exeat.toml, and a quarantine whose reason and author are hostile."""
    (at / "state").mkdir()
    (at / "exeat.toml").write_text(f'[[listen]]\nmode = "proxy"\naddress = "127.0.0.1:3128"\n[policy]\nallowlist = "allowlist.toml"\nstate = "state"\n')
    (at / "state" / "quarantine").write_text(f'[[quarantine]]\nentry = "x"\nuntil = 2099-01-01T00:00:00Z\nby = {json.dumps(UNSEEN)}\nreason = {json.dumps(UNSEEN)}\n')


def cases(at):
    """{what: argv}, for every verb; what has no file of its own is given a hostile word."""
    found = {}
    for name in ("allowlist.toml", "loud.toml", "broken.toml", "raw.toml", "none.toml"):
        for how in ("text", "json", "github"):
            found[f"check {how} {name}"] = ("check", "--format", how, at / name)
        found[f"check --config {name}"] = ("check", "--config", at / name)
        for how in ("text", "json"):
            found[f"explain {how} {name}"] = ("explain", "--client", "127.0.0.1", "--allowlist", at / name, "--format", how, "site.print.test:443", NAME)
            found[f"grants {how} {name}"] = ("grants", "--allowlist", at / name, "--format", how)
        for how in ("text", "json", "markdown"):
            found[f"diff {how} {name}"] = ("diff", at / name, at / "wide.toml", "--format", how)
        found[f"sign {name}"] = ("sign", "--key", at / "key.key", "--audience", "test", at / name)
        found[f"sign no audience {name}"] = ("sign", "--key", at / "key.key", at / "none" / name)
        found[f"revoke {name}"] = ("revoke", "--allowlist", at / name, "--audience", "test", "--key", at / "key.key", "--reason", NAME, at / name)
        found[f"verify {name}"] = ("verify", "--trusted-key", at / "key.pub", at / name)
        found[f"replay {name}"] = ("replay", "--audit", at / "hostile.jsonl", at / name)
        found[f"suggest {name}"] = ("suggest", "--audit", at / "hostile.jsonl", "--allowlist", at / name)
        found[f"serve {name}"] = ("serve", "--config", at / name)
        found[f"identities {name}"] = ("identities", "--config", at / name)
        found[f"quarantine {name}"] = ("quarantine", "--config", at / name, "--client", NAME, "--for", "1h", "--reason", NAME)
        found[f"grant {name}"] = ("grant", "--allowlist", at / name, "--entry", "x", "--for", "1h", "--host", NAME, "--reason", NAME)
    return found | {
        "verify --audit": ("verify", "--audit", at / "hostile.jsonl"), "verify no log": ("verify", "--audit", at / "none"),
        "import smokescreen": ("import", "smokescreen", at / "acl.yaml"), "import squid": ("import", "squid", at / "dstdomain"),
        "import to": ("import", "squid", at / "dstdomain", "-o", at / "none" / "x"), "import no file": ("import", "squid", at / "none"),
        "quarantine list": ("quarantine", "--config", at / "exeat.toml", "--list"), "quarantine client": ("quarantine", "--config", at / "exeat.toml", "--client", NAME, "--for", "1h", "--reason", "r"),
        "quarantine entry": ("quarantine", "--config", at / "exeat.toml", "--entry", NAME, "--for", "1h", "--reason", "r"),
        "keygen": ("keygen", at / "other"), "keygen again": ("keygen", at / "key"), "top": ("top", "--admin", NAME), "top sort": ("top", "--sort", NAME),
        "help": ("help", NAME), "preset": ("preset", NAME), "state": ("state", "init", "--config", NAME), "version": ("version", NAME), "no verb": (NAME,), "an option": ("check", "--" + NAME), "a format": ("check", "--format", NAME, "x"),
    }


def harmless(text):
    """No control but line ends and tabs, and nothing that is there and is not seen."""
    return [f"U+{ord(c):04X}" for c in text if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\t"]


def test_every_verb_is_among_the_cases(there):
    listed = re.findall(r"^  (\w+) ", run("help").stdout, re.M)
    assert len(listed) > 12 and set(listed) == {argv[0] for argv in cases(there).values() if argv[0] != NAME}


def test_no_verb_prints_a_control_character_whatever_names_files_and_logs_hold(there):
    shown = 0
    for what, argv in cases(there).items():
        done = subprocess.run([BINARY, *argv], capture_output=True, timeout=seconds(60), check=False)
        assert done.returncode in (0, 1, 2), (what, done)
        printed = (done.stdout + done.stderr).decode("utf-8")  # valid, or this raises
        assert (printed or "github" in what) and harmless(printed) == [], (what, printed)
        assert not re.search(r"^(allowlist.toml: all is well|forged: a line)", printed, re.M), f"{what}: a name made a line of its own: {printed}"
        if "json" in what and done.stdout:
            json.loads(done.stdout)
        shown += "\\u001b" in printed or "\\x1b" in printed
    assert shown > 30, "what is hostile was met, and escaped"


def test_the_log_of_a_running_exeat_has_none_either(lab, tmp_path):
    with lab.exeat(LIST) as exeat:
        exeat.reload(BROKEN, result="error")
        assert "\\u001b" in exeat.log() or "\\x1b" in exeat.log()
        assert harmless(exeat.log()) == []


def test_what_is_escaped_still_says_the_same_to_a_program(there):
    done = run("grants", "--allowlist", there / "allowlist.toml", "--format", "json")
    assert json.loads(done.stdout)[0]["owner"] == UNSEEN


# ---- output that cannot be written ----

def successes(at, tmp_path):
    """One call of each verb that prints and succeeds."""
    (tmp_path / "allowlist.toml").write_text(LIST)
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "dstdomain").write_text("site.print.test\n")
    (tmp_path / "acl.yaml").write_text("version: v1\nservices:\n  - name: a\n    project: b\n    action: enforce\n    allowed_domains: [site.print.test]\n")
    a = tmp_path / "allowlist.toml"
    lab = {"check": ("check", a), "check json": ("check", "--format", "json", a), "explain": ("explain", "--client", "127.0.0.1", "--allowlist", a, "site.print.test:443"),
           "diff": ("diff", a, a), "diff json": ("diff", a, a, "--format", "json"), "grants": ("grants", "--allowlist", a), "sign": ("sign", "--key", at / "key.key", "--audience", "test", a),
           "revoke": ("revoke", "--key", at / "key.key", "--audience", "test", "--until", "2099-01-01T00:00:00Z", "--reason", "r", "--allowlist", a, "0" * 64),
           "verify": ("verify", "--trusted-key", at / "key.pub", a), "verify --audit": ("verify", "--audit", tmp_path / "empty.jsonl"),
           "import squid": ("import", "squid", "--sources", "clients=10.0.0.0/8", "--owner", "o", tmp_path / "dstdomain"),
           "grant": ("grant", "--allowlist", a, "--entry", "x", "--for", "1h", "--host", "y.print.test", "--reason", "r", "--owner", "o"), "keygen": ("keygen", tmp_path / "k"),
           "quarantine": ("quarantine", "--config", at / "exeat.toml", "--list"),
           "preset": ("preset",), "preset NAME": ("preset", "python"), "preset --part": ("preset", "--part", "python"), "version": ("version",), "help": ("help",), "help check": ("help", "check"), "help exeat.toml": ("help", "exeat.toml"), "--version": ("--version",), "--help": ("--help",)}
    return lab | {f"{verb} --help": (verb, "--help") for verb in ("serve", "identities", "check", "explain", "diff", "replay", "suggest", "grant", "grants", "keygen", "quarantine", "revoke", "sign", "verify", "version",
                                                                  "import", "preset", "state", "top")}


def into(argv, how):
    """With a full disk behind stdout, or none."""
    shell = {"full": 'exec "$@" >/dev/full', "closed": 'exec "$@" >&-', "file": 'exec "$@" >/dev/null'}[how]
    return subprocess.run(["/bin/sh", "-c", shell, "sh", BINARY, *map(str, argv)], capture_output=True, text=True, timeout=seconds(60), check=False)


@pytest.mark.parametrize("how, why", [("full", "No space left on device"), ("closed", "Bad file descriptor")])
def test_a_verb_whose_output_cannot_be_written_says_so_and_fails(there, tmp_path, how, why):
    for what, argv in successes(there, tmp_path).items():
        if what == "verify":
            run("sign", "--key", there / "key.key", "--audience", "test", tmp_path / "allowlist.toml")
        if what == "sign":
            (tmp_path / "allowlist.toml.manifest").unlink(missing_ok=True)
        failed = into(argv, how)
        assert failed.returncode == 1 and why in failed.stderr, (what, failed)
        for made in ("k.key", "k.pub", "allowlist.d/x.toml", "allowlist.toml.manifest"):
            (tmp_path / made).unlink(missing_ok=True)
        for made in tmp_path.glob("allowlist.d/*.revoke"):
            made.unlink()
        if what == "verify":
            run("sign", "--key", there / "key.key", "--audience", "test", tmp_path / "allowlist.toml")
        written = into(argv, "file")
        assert written.returncode == 0, (what, written)
        for made in ("k.key", "k.pub", "allowlist.d/x.toml", *tmp_path.glob("allowlist.d/*.revoke")):
            (tmp_path / made).unlink(missing_ok=True)


def test_reports_of_logs_fail_too(there, tmp_path, lab):
    host, _ = lab.place("site.print.test", v6=False)
    lab.origin(host, 7)
    with lab.exeat(LIST) as exeat:
        pass
    for argv in (("replay", "--audit", exeat.audit_path, exeat.allowlist_path), ("suggest", "--audit", exeat.audit_path), ("suggest", "--audit", exeat.audit_path, "--format", "json")):
        assert into(argv, "file").returncode == 0
        for how in ("full", "closed"):
            failed = into(argv, how)
            assert failed.returncode == 1 and "could not be written" in failed.stderr, failed


def test_closed_descriptors_are_nobody_elses_file(tmp_path):
    """What is opened next would get the number 1 or 2, and what is printed would be written into it."""
    (tmp_path / "k.pub").write_text("")
    before = LIST.encode()
    (tmp_path / "allowlist.toml").write_bytes(before)
    subprocess.run(["/bin/sh", "-c", f'exec {BINARY} check {tmp_path}/allowlist.toml <&- >&- 2>&-'], timeout=seconds(60), check=False)
    assert (tmp_path / "allowlist.toml").read_bytes() == before
    done = subprocess.run(["/bin/sh", "-c", f'exec {BINARY} keygen {tmp_path}/new <&- >&- 2>&-'], timeout=seconds(60), check=False)
    assert done.returncode == 1 and (tmp_path / "new.pub").read_text().endswith("-----END PUBLIC KEY-----\n")


def test_nothing_prints_past_the_one_place():
    """live/ draws a screen of its own, of text that live/printable has made."""
    printing = re.compile(r"fmt::print|\bprintf|fputs|fwrite|std::cout|std::cerr|std::puts|putchar")
    files = [p for p in [*(REPOSITORY / "src/cli").glob("*.[ch]pp"), REPOSITORY / "src/main.cpp"] if p.name not in ("output.cpp", "top.cpp")]
    assert len(files) > 20 and [str(p) for p in files if printing.search(p.read_text())] == []
