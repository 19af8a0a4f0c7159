"""The result: case x way in -> reason. What was seen is put in by the tests; what was not tried says why."""
import collections
import os
import pathlib

from harness.exeat import BINARY

WAYS = ["connect", "http", "redirect tls", "redirect http", "tproxy tls", "sni"]
_seen = collections.defaultdict(dict)  # (case, what) -> way -> result


def saw(case, what, way, result):
    """`result`: the reason, or "passes". Seen twice, before and after a reload, it must be the same."""
    before = _seen[case, what].get(way)
    assert before in (None, result), f"{case} by {way}: {before} before the reload, {result} after"
    _seen[case, what][way] = result


def cannot(case, what, way, why):
    _seen[case, what][way] = f"({why})"


def _order(key):
    case = key[0]
    return case[0], int("".join(c for c in case if c.isdigit()) or 0), case, key[1]


def write():
    """Writes table.md beside the binary; returns the line that sums it up."""
    if not _seen:
        return None
    at = pathlib.Path(BINARY).resolve().parent / "redteam"
    at.mkdir(exist_ok=True)
    rows = [f"| case | what | {' | '.join(WAYS)} |", "|---" * (len(WAYS) + 2) + "|"]
    count = collections.Counter()
    for key in sorted(_seen, key=_order):
        cells = [_seen[key].get(way, "") for way in WAYS]
        rows.append(f"| {key[0]} | {_shown(key[1])} | {' | '.join(cells)} |")
        for cell in cells:
            if cell:
                count["not possible" if cell.startswith("(") else "accepted" if cell == "passes" else "refused"] += 1
    (at / "table.md").write_text("\n".join(rows) + "\n")
    return (f"redteam: {len(_seen)} cases, {count['refused']} refused and {count['accepted']} accepted over all ways in, {count['not possible']} not possible; "
            f"{os.path.relpath(at / 'table.md')}")


def _shown(text):
    return "".join(c if " " <= c <= "~" and c not in "|`" else f"\\x{ord(c):02x}" for c in text)[:60]
