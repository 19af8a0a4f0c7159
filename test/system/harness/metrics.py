"""Prometheus' text format into a dictionary."""
import re

_LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')


def _unescaped(value):
    return value.replace(r"\n", "\n").replace(r"\"", '"').replace("\\\\", "\\")


class Metrics(dict):
    """(name, frozenset of (label, value)) → number."""

    def __init__(self, text):
        super().__init__()
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            found = _LINE.match(line)
            assert found, f"no line of the text format: {line!r}"
            labels = _LABEL.findall(found[2] or "")
            key = (found[1], frozenset((n, _unescaped(v)) for n, v in labels))
            assert key not in self, f"the same series twice: {line!r}"
            self[key] = float(found[3])

    def of(self, name, **labels):
        """The sum of all series that carry these labels; 0 without any."""
        wanted = set(labels.items())
        return sum(v for (n, have), v in self.items() if n == name and wanted <= have)

    def has(self, name, **labels):
        wanted = set(labels.items())
        return any(n == name and wanted <= have for n, have in self)

    def label_values(self, name, label):
        return {dict(have).get(label) for n, have in self if n == name}
