"""compose.py PAGE SECURITY CHART LICENCE: puts the status page together into one file, and its Content-Security-Policy into another.

Everything is inside the page, and the policy names each script and the style by its hash: nothing else runs, nothing is fetched but exeat's own
answers, and no text becomes markup (trusted types: there is no policy that could make any).
"""
import base64
import hashlib
import html
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = ("words.js", "plots.js", "tables.js", "page.js")


def hashes(page, tag):
    bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
    return " ".join("'sha256-" + base64.b64encode(hashlib.sha256(b.encode()).digest()).decode() + "'" for b in bodies)


def main(page_path, security_path, chart, licence):
    script = '"use strict";\n' + "".join((HERE / name).read_text() for name in SCRIPTS)
    parts = {"style": (HERE / "page.css").read_text(), "chart": pathlib.Path(chart).read_text(), "script": script,
             "licence": html.escape(pathlib.Path(licence).read_text())}
    for name in ("chart", "script"):
        assert "</script" not in parts[name] and "<!--" not in parts[name], f"{name}: would end its element"
    page = re.sub(r"\{(style|chart|script|licence)\}", lambda m: parts[m[1]], (HERE / "page.html").read_text())
    pathlib.Path(page_path).write_text(page)
    pathlib.Path(security_path).write_text(
        f"default-src 'none'; script-src {hashes(page, 'script')}; style-src {hashes(page, 'style')}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")


main(*sys.argv[1:])
