"""manual.py EXEAT CONF OUTDIR PAGE.md...: the manual pages and the completions, of what EXEAT says about itself.

The verbs' pages stand in src/cli/help.cpp, their options where each verb reads them, the keys of both files in src/ops/text/*_toml_keys.hpp:
`exeat help`, man and the completions all say the same. The pages of section 7 are in src/manual.
"""
import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from roff import escaped, example, from_markdown, page, prose  # noqa: E402: beside this file


def told_by(exeat, *argv):
    return json.loads(subprocess.run([exeat, *argv, "--describe"], check=True, capture_output=True, text=True).stdout)


def described(exeat):
    """All of it; each verb with its options and its kinds (import's)."""
    all_of_it = told_by(exeat, "help")
    for verb in all_of_it["verbs"]:
        verb.update(told_by(exeat, verb["name"]) if verb["name"] != "help" else {"options": [], "kinds": []})
    return all_of_it


def choices(option):
    """The words of TEXT:{text,json}."""
    found = re.search(r"\{([^}]*)\}", option["type"])
    return found[1].split(",") if found else []


def value(option):
    return "|".join(choices(option)) or option["type"].split(":")[0]


def own(options):
    return [o for o in options if "--help" not in o["names"]]


# ---- pages ----

def sentence(text):
    return text if text.startswith("exeat") else text[:1].upper() + text[1:]


def option_item(o):
    names = ", ".join(f"\\fB{escaped(n)}\\fR" for n in o["names"]) or f"\\fI{escaped(o['positional'])}\\fR"
    taken = f" \\fI{escaped(value(o))}\\fR" if o["takes_value"] and o["names"] else ""
    more = ("; may be repeated" if o["repeated"] and o["names"] else "") + ("; required" if o["required"] and o["names"] else "") + \
        (f"; {o['standard']} without it" if o["standard"] else "")
    return f".TP\n{names}{taken}\n{prose(sentence(o['meaning'] + more + '.'))}"


def synopsis(name, options):
    parts = []
    for o in sorted(own(options), key=lambda o: not o["names"]):
        shown = f"\\fB{escaped(o['names'][-1])}\\fR" + (f" \\fI{escaped(value(o))}\\fR" if o["takes_value"] else "") if o["names"] \
            else f"\\fI{escaped(o['positional'])}\\fR" + ("..." if o["repeated"] else "")
        parts.append(shown if o["required"] else f"[{shown}]")
    return "\\fBexeat " + escaped(name) + "\\fR" + "".join("\n" + p for p in parts)


def verb_section(verb):
    out = [f".SS {escaped(verb['name'])}"]
    forms = [(f"{verb['name']} {kind['name']}", kind) for kind in verb["kinds"]] or [(verb["name"], verb)]
    for n, (name, form) in enumerate(forms):
        out.append((".br\n" if n else "") + synopsis(name, form["options"]))
    out += [".PP", prose(verb["text"])]
    for name, form in forms:
        if len(forms) > 1:
            out += [".PP", prose(f"exeat {name}: {form['meaning']}.")]
        out += [option_item(o) for o in own(form["options"])]
    return "\n".join(out) + example(verb["example"])


def manual_of_exeat(told, others):
    parts = [".SH SYNOPSIS", "\\fBexeat\\fR\n\\fIVERB\\fR\n[\\fIOPTIONS\\fR]", ".SH DESCRIPTION", prose(
        "exeat is an egress forward proxy that denies by default: the only way out of a network, for what its allowlist names. "
        "It reads where a client wants to go (CONNECT, plain HTTP, or the server name of redirected TLS), checks that against a list "
        "that is reloaded when it changes, relays what is allowed, counts every byte and writes one line of audit for each event. "
        "TLS stays closed."), ".SH VERBS"]
    parts += [verb_section(v) for v in told["verbs"]]
    parts += [".SH FILES", ".TP\n\\fI/etc/exeat/exeat.toml\\fR\nHow it serves; see exeat.toml(5).",
              ".TP\n\\fI/etc/exeat/allowlist.toml\\fR\nWho may go where; see allowlist.toml(5).",
              ".TP\n\\fI/var/log/exeat/audit.jsonl\\fR\nThe audit log.",
              ".SH SIGNALS", ".TP\nSIGHUP\n" + prose("Reads the allowlist and, without servers in [dns], /etc/resolv.conf again. Settings are read at the start only."), ".TP\nSIGUSR1\nOpens the audit log again, after it was renamed.",
              ".TP\nSIGTERM\nDrains for drain_timeout, then ends; a second one ends it at once.",
              ".SH EXIT STATUS", prose("0 for yes and success, 1 for no and failure, 2 for wrong usage."),
              ".SH SEE ALSO", ",\n".join(f"\\fB{escaped(name)}\\fR({section})" for name, section in [("exeat.toml", 5), ("allowlist.toml", 5), *others])]
    return page("exeat", 1, told["version"], "egress proxy, default deny", "\n".join(parts))


def key_item(k):
    otherwise = k["standard"] if k["standard"].startswith("required") else f"without it: {k['standard']}"
    return f".TP\n\\fB{escaped(k['name'])}\\fR = {escaped(k['example'])}\n{prose(k['type'][:1].upper() + k['type'][1:] + (', ' + k['bounds'] if k['bounds'] else '') + '; ' + otherwise + '.')}\n{prose(k['meaning'])}"


def manual_of_file(told, file, complete):
    parts = [".SH DESCRIPTION", prose(file["meaning"])]
    for t in file["tables"]:
        also = f" It has every key of {t['also']}, and:" if t["also"] else ""
        parts += [f".SH {escaped(t['title'])}" if t["title"] else ".SH AT THE TOP", prose(t["meaning"] + also)]
        parts += [key_item(k) for k in t["keys"]]
    parts += [".SH EXAMPLE", prose("Complete, and valid as it stands:") + example(complete),
              ".SH SEE ALSO", "\\fBexeat\\fR(1),\n\\fB" + ("allowlist" if file["name"] == "exeat.toml" else "exeat") + ".toml\\fR(5)"]
    return page(file["name"], 5, told["version"], file["line"], "\n".join(parts))


# ---- completions ----

def forms_of(told):
    """("check", options) and ("import squid", options): what is completed."""
    for v in told["verbs"]:
        yield v["name"], v["options"]
        for kind in v["kinds"]:
            yield f"{v['name']} {kind['name']}", kind["options"]


def words_of(told, form):
    """What stands behind a verb and is no option and no file."""
    if form == "help":
        return [v["name"] for v in told["verbs"]] + [f["name"] for f in told["files"]]
    return next(([k["name"] for k in v["kinds"]] for v in told["verbs"] if v["name"] == form), [])


def positional_choices(options):
    """The words that a positional argument may be: preset's names."""
    return [c for o in options if not o["names"] for c in choices(o)]


def bash(told):
    verbs = " ".join(v["name"] for v in told["verbs"])
    kinds = "|".join(v["name"] for v in told["verbs"] if v["kinds"])
    rows, values = [], []
    for form, options in forms_of(told):
        names = [n for o in options for n in o["names"] if n.startswith("--")]
        rows.append(f"    '{form}') options='{' '.join(names)}' words='{' '.join(words_of(told, form) + positional_choices(options))}' ;;")
        values += [f"    '{form} {n}') words='{' '.join(choices(o))}' options='' ;;" for o in options if choices(o) for n in o["names"]]
        taking = "|".join(f"'{form} {n}'" for o in options if o["takes_value"] and not choices(o) for n in o["names"])
        values += [f"    {taking}) return ;; # a file's name, or what only its writer knows"] if taking else []
    lines = ["# Bash completion of exeat; made by src/manual.py.", "# shellcheck shell=bash", "_exeat() {",
             "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} form=${COMP_WORDS[1]} options='' words=''", "  COMPREPLY=()",
             f"  if [ \"$COMP_CWORD\" = 1 ]; then mapfile -t COMPREPLY < <(compgen -W '{verbs}' -- \"$word\"); return; fi",
             f"  case $form in {kinds}) [ \"$COMP_CWORD\" = 2 ] || form+=\" ${{COMP_WORDS[2]}}\" ;; esac",
             "  case $form in", *rows, "  esac", "  case \"$form $before\" in", *values, "  esac",
             "  case $word in -*) words=$options ;; esac",
             "  [ -z \"$words\" ] || mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")", "}",
             "complete -o default -F _exeat exeat", ""]
    return "\n".join(lines)


def zsh_text(text):
    return text.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def zsh_option(o):
    said = zsh_text(o["meaning"].split("\n")[0])
    goes_to = f":{zsh_text(value(o))}:" + (f"({' '.join(choices(o))})" if choices(o) else "_files") if o["takes_value"] else ""
    if not o["names"]:
        return [f"'{'*' if o['repeated'] else ''}:{zsh_text(o['positional'])}:{'(' + ' '.join(choices(o)) + ')' if choices(o) else '_files'}'"]
    return [f"'{'*' if o['repeated'] else ''}{n}[{said}]{goes_to}'" for n in o["names"]]


def zsh(told):
    verbs = " ".join(f"'{v['name']}:{zsh_text(v['line'])}'" for v in told["verbs"])
    cases = []
    for form, options in forms_of(told):
        if words := words_of(told, form):
            action = f"_values {form} {' '.join(words)}" if form == "help" else f"if (( CURRENT == 2 )); then _values {form} {' '.join(words)}; fi"
        else:
            action = "_arguments " + " ".join(s for o in options for s in zsh_option(o))
        cases.append(f"    '{form}') {action} ;;")
    kinds = "|".join(v["name"] for v in told["verbs"] if v["kinds"])
    return "\n".join([
        "#compdef exeat", "# Made by src/manual.py.", "_exeat() {", "  local form", f"  local -a verbs=({verbs})",
        "  if (( CURRENT == 2 )); then _describe verb verbs; return; fi", "  shift words; (( CURRENT-- ))", "  form=$words[1]",
        f"  case $form in ({kinds}) if (( CURRENT > 2 )); then form+=\" $words[2]\"; shift words; (( CURRENT-- )); fi ;; esac",
        "  case $form in", *cases, "  esac", "}", "_exeat \"$@\"", ""])


def main():
    exeat, conf, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    told = described(exeat)
    made = dict(from_markdown(pathlib.Path(source).read_text(), told["version"]) for source in sys.argv[4:])
    others = [name.rsplit(".", 1) for name in sorted(made)]
    made |= {"exeat.1": manual_of_exeat(told, others), "exeat.bash": bash(told), "_exeat": zsh(told)}
    for file in told["files"]:
        made[f"{file['name']}.5"] = manual_of_file(told, file, (conf / file["name"]).read_text())
    for name, text in made.items():
        (out / name).write_text(text)


if __name__ == "__main__":
    main()
