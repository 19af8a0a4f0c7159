"""Text as man(7) has it, and the pages of section 7, which are Markdown in src/manual, as roff.

Of Markdown: headings, paragraphs, lists, tables, fenced blocks, `code`, **bold**, *italic* and links. The title is `# NAME(7): what it is`.
"""
import os
import re
import textwrap
import time

BOLD, ITALIC, ROMAN = "\1", "\2", "\3"  # a change of font, until all else is escaped
FONTS = {BOLD: "\\fB", ITALIC: "\\fI", ROMAN: "\\fR"}


def escaped(text):
    out = text.replace("\\", "\\e").replace("-", "\\-")
    return "".join(FONTS.get(c) or (c if ord(c) < 128 else f"\\[u{ord(c):04X}]") for c in out)


def protected(line):
    """A line of text that begins with a control character is no request."""
    return "\\&" + line if line[:1] in (".", "'") else line


def prose(text):
    """A sentence a line, and none too long; an empty line is a paragraph's end."""
    paragraphs = []
    for paragraph in text.strip().split("\n\n"):
        lines = []
        for sentence in re.split(r"(?<=[.!?]) (?=[\1\2]?[A-Z\[\"])", " ".join(paragraph.split())):
            lines += [escaped(line) for line in textwrap.wrap(sentence, 56 if BOLD in sentence else 70, break_long_words=False, break_on_hyphens=False)]
        paragraphs.append("\n".join(map(protected, lines)))
    return "\n.PP\n".join(paragraphs)


def example(text):
    return "\n.PP\n.RS 4\n.EX\n" + "\n".join(map(protected, map(escaped, text.rstrip().splitlines()))) + "\n.EE\n.RE"


def page(name, section, version, line, body):
    day = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
    return f'.TH {name.upper()} {section} {day} "exeat {version}"\n.SH NAME\n{escaped(name)} \\- {escaped(line)}\n{body}\n'


# ---- Markdown ----

def marked(text):
    """With fonts; a link is its text, and its address where that is elsewhere on the web."""
    text = re.sub(r"\[([^\]]*)\]\((https?:[^)]*)\)", r"\1 (\2)", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    parts = re.split(r"`([^`]*)`", text)
    for n in range(0, len(parts), 2):
        parts[n] = re.sub(r"\*\*([^*]+)\*\*", BOLD + r"\1" + ROMAN, parts[n])
        parts[n] = re.sub(r"(?<!\w)\*([^*\s][^*]*)\*(?!\w)", ITALIC + r"\1" + ROMAN, parts[n])
        parts[n] = re.sub(r"\b((?:exeat|allowlist)[a-z.-]*)(\(\d\))", BOLD + r"\1" + ROMAN + r"\2", parts[n])
    return "".join(BOLD + part + ROMAN if n % 2 else part for n, part in enumerate(parts))


def cells(row):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def table(rows):
    """Each row a tagged paragraph; from the third column on with the column's name, as a terminal is narrow."""
    head, out = cells(rows[0]), []
    for row in map(cells, rows[2:]):
        said = marked(row[1]) or "\\&"
        more = [f"{ITALIC}{name}:{ROMAN} {marked(cell)}" for name, cell in zip(head[2:], row[2:]) if cell]
        out.append(f".TP 7\n{escaped(marked(row[0]))}\n" + "\n.br\n".join(map(prose, [said, *more])))
    return "\n".join(out)


def bullets(lines):
    items = re.split(r"^(?:- |\d+\. )", "\n".join(lines), flags=re.M)[1:]
    return "\n".join(f".IP \\(bu 2\n{prose(marked(item))}" for item in items)


def chunks(text):
    """("fence", lines), ("table", lines), ("list", lines), ("heading", [line]) and ("text", lines), in order."""
    kind, held = None, []
    for line in text.splitlines():
        fence = line.startswith("```")
        now = ("fence" if kind == "fence" or fence else "table" if line.startswith("|") else "heading" if line.startswith("#") else
               "list" if re.match(r"- |\d+\. ", line) or (kind == "list" and line.startswith("  ")) else "text" if line.strip() else None)
        if now != kind or now == "heading":
            if kind:
                yield kind, held
            kind, held = now, []
        held.append(line)
        if kind == "fence" and fence and len(held) > 1:
            yield kind, held
            kind, held = None, []
    if kind:
        yield kind, held


def body(text):
    out, opened = [], False
    for kind, lines in chunks(text):
        if kind == "heading":
            level, words = lines[0].split(" ", 1)
            out.append(f".SH {escaped(marked(words).upper())}" if level == "##" else f".SS {escaped(marked(words))}")
        elif kind == "fence":
            shown = example("\n".join(lines[1:-1]))
            out.append(shown.removeprefix("\n.PP\n" if opened else "\n"))
        elif kind == "table":
            out.append(table(lines))
        elif kind == "list":
            out.append(bullets(lines))
        else:
            out.append(("" if opened else ".PP\n") + prose(marked("\n".join(lines))))
        opened = kind == "heading"
    return "\n".join(out)


def from_markdown(text, version):
    """The name, and the whole page. What comes before the first heading is its description."""
    title, rest = text.split("\n", 1)
    name, section, line = re.fullmatch(r"# ([\w-]+)\((\d)\): (.*)", title).groups()
    return f"{name}.{section}", page(name, section, version, line, body("## Description\n" + rest))
