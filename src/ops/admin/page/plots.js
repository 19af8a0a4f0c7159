// Three plots of the last hour, stacked, by Chart.js; each with a legend of real text below it.
const series_colours = ["--s0", "--s1", "--s2", "--s3", "--s4", "--s5", "--s6", "--s7"];

const probe = document.body.appendChild(element("span", { hidden: true }));

// The value of a CSS variable as this theme has it.
function colour(variable) {
  probe.style.color = `var(${variable})`;
  return getComputedStyle(probe).color;
}
const paler = rgb => rgb.replace("rgb(", "rgba(").replace(")", ", 0.55)");

class Plot {
  constructor(id, key, values, text) {
    this.section = byId(id);
    this.key = key;       // of a series' name
    this.values = values; // of its numbers
    this.text = text;     // of a number of a second
    this.kept = new Map(); // name -> colour: a series keeps its colour while it is there
    const ticks = { color: colour("--quiet"), maxRotation: 0 };
    this.chart = new Chart(this.section.querySelector("canvas"), {
      type: "line",
      data: { datasets: [] },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false, normalized: true, parsing: false,
        interaction: { mode: "index", intersect: false },
        elements: { point: { radius: 0, hitRadius: 6 }, line: { borderWidth: 1 } },
        scales: {
          x: { type: "linear", ticks: { ...ticks, callback: v => v === 0 ? "now" : `−${Math.round(-v / 60)} min` }, min: -3600, max: 0, grid: { display: false } },
          y: { stacked: true, beginAtZero: true, ticks: { ...ticks, maxTicksLimit: 5, callback: v => this.text(v) }, border: { display: false } },
        },
        plugins: {
          legend: { display: false },
          tooltip: {
            itemSort: (a, b) => b.raw.y - a.raw.y, filter: i => i.raw.y > 0,
            callbacks: { title: items => items.length ? `${time_span(-items[0].raw.x)} ago` : "", label: i => ` ${i.dataset.label}: ${this.text(i.raw.y)}` },
          },
        },
      },
    });
  }

  colour_of(name) {
    if (name === "_other") return "--rest";
    const used = new Set(this.kept.values());
    if (!this.kept.has(name)) this.kept.set(name, series_colours.find(c => !used.has(c)) ?? series_colours[this.kept.size % series_colours.length]);
    return this.kept.get(name);
  }

  // The last step has only begun: its number is of last_step_seconds. Of a young process the time before it is not shown.
  show(series, history, uptime) {
    const x = this.chart.options.scales.x, minutes = Math.min(6, Math.max(1, Math.ceil(uptime / 600))) * 10;
    x.min = -60 * minutes;
    x.ticks.stepSize = 12 * minutes;
    const names = new Set(series.map(s => s[this.key]));
    for (const name of this.kept.keys()) if (!names.has(name)) this.kept.delete(name);
    const { interval_seconds: step, last_step_seconds: last, samples } = history, lasted = i => i === samples - 1 ? Math.max(last, 2) : step;
    this.fit(series, lasted);
    this.chart.data.datasets = series.map((s, nth) => {
      const ink = colour(this.colour_of(s[this.key])), all = s[this.values];
      const at = i => i === all.length - 1 ? 0 : -last - (all.length - 2 - i) * step;
      return { label: s[this.key], fill: nth === 0 ? "origin" : "-1", borderColor: ink, backgroundColor: paler(ink),
               data: all.map((n, i) => ({ x: at(i), y: n / lasted(i) })) };
    });
    this.repaint();
    const total = s => s[this.values].reduce((a, b) => a + b, 0);
    this.chart.canvas.setAttribute("aria-label", series.map(s => `${s[this.key]}: ${this.sum(total(s))} in the last hour`).join("; ") || "nothing in the last hour");
    const lines = series.map(s => {
      const swatch = element("span", { className: "swatch" });
      swatch.style.background = colour(this.colour_of(s[this.key]));
      return element("li", {}, swatch, `${s[this.key]} · ${this.sum(total(s))}`);
    });
    renew(this.section.querySelector(".legend"), lines.length ? lines : [element("li", { className: "quiet" }, "nothing in the last hour")]);
  }

  // Bytes are counted in powers of two, and so are the lines of the grid.
  fit(series, lasted) {
    if (this.values !== "upload") return;
    const most = Math.max(1, ...(series[0]?.[this.values] ?? []).map((_, i) => series.reduce((n, s) => n + s[this.values][i], 0) / lasted(i)));
    const y = this.chart.options.scales.y, line = 2 ** Math.ceil(Math.log2(most / 4));
    y.ticks.stepSize = line;
    y.max = Math.ceil(most / line) * line;
  }

  sum(n) { return this.values === "upload" ? octets(n) : count(n); }

  repaint() {
    const { x, y } = this.chart.options.scales;
    x.ticks.color = y.ticks.color = colour("--quiet");
    y.grid = { color: colour("--line"), drawTicks: false };
    this.chart.update("none");
  }
}
