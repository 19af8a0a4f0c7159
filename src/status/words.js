// What numbers and moments look like, and elements that hold them. Text becomes text: nothing here or elsewhere makes markup of it.
const byId = id => document.getElementById(id);

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function octets(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  for (; n >= 1024 && unit < units.length - 1; ++unit) n /= 1024;
  return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}
const rate = n => `${octets(n)}/s`;
const count = n => n.toLocaleString("en", { maximumFractionDigits: n < 10 ? 1 : 0 });

function time_span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 2 * 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
  return `${Math.floor(s / 86400)} d`;
}
const clock = text => text.slice(11, 19);
// A moment as people want it: of today the time, else the day and the minute; always UTC, as in the log.
const moment = text => text.slice(0, 10) === new Date().toISOString().slice(0, 10) ? clock(text) : `${text.slice(5, 10)} ${text.slice(11, 16)}`;

// rows of cells; a cell is a text, a node, or {text, as: class}. Keeps the scroll position, as it is filled anew every two seconds.
function fill_table(section, heads, rows, none) {
  const into = section.querySelector(".rows"), top = into.scrollTop, left = into.scrollLeft;
  if (rows.length === 0) return into.replaceChildren(element("p", { className: "none" }, none));
  const cell = (tag, c, as) => element(tag, { className: [as, c?.as].filter(Boolean).join(" ") }, c?.text ?? c);
  const head = element("tr", {}, ...heads.map(h => { const th = cell("th", h.name, h.as); th.scope = "col"; return th; }));
  const body = rows.map(r => element("tr", {}, ...r.map((c, i) => cell("td", c, heads[i].as))));
  into.replaceChildren(element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
  into.scrollTop = top;
  into.scrollLeft = left;
}
