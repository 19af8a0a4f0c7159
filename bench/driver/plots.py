"""Two pictures, by gnuplot: what a set-up costs against the length of the allowlist, and memory against tunnels held."""
import shutil
import statistics
import subprocess

from .rounds import note

_HEAD = """set terminal svg size 720,420 dynamic font "sans-serif,13" background "white"
set output "{out}"
set grid lc rgb "#dddddd"
set border 3
set tics nomirror
set key left top
set yrange [0:*]
"""


def draw(figures, directory):
    """The files that were written."""
    if not shutil.which("gnuplot"):
        note("skipped: plots: gnuplot is not installed (Debian: gnuplot-nox)")
        return []
    out = []
    if "names" in figures.special:
        out.append(_plot(directory / "setup-by-names.svg", _by_names(figures.special["names"]),
                         'set logscale x\nset xlabel "names on the allowlist"\nset ylabel "CPU per set-up, µs"\nset format x "10^{%L}"'))
    if "tunnels" in figures.special:
        out.append(_plot(directory / "memory-by-tunnels.svg", _by_tunnels(figures.special["tunnels"]),
                         'set xlabel "idle tunnels held"\nset ylabel "memory, MiB PSS"'))
    return out


def _by_names(by_peer):
    return {p: [(at["names"], *_quartiles(at["setup"])) for at in all["sizes"]] for p, all in by_peer.items() if all["sizes"]}


def _quartiles(values):
    return statistics.median(values), min(values), max(values)


def _by_tunnels(by_mode):
    return {f"exeat, {mode}": [(l["tunnels"], l["pss"] / 2**20) for l in levels] for mode, levels in by_mode.items()}


def _plot(path, series, settings):
    blocks, curves = [], []
    for n, (name, points) in enumerate(series.items()):
        blocks.append(f"$data{n} << EOD\n" + "\n".join(" ".join(map(str, p)) for p in points) + "\nEOD")
        bars = len(points[0]) == 4
        curves.append(f'$data{n} with {"yerrorlines" if bars else "linespoints"} lw 2 pt 7 ps 0.6 title "{name}"')
    script = "\n".join([_HEAD.format(out=path), settings, *blocks, "plot " + ", ".join(curves)])
    subprocess.run(["gnuplot"], input=script, text=True, check=True, capture_output=True)
    return path
