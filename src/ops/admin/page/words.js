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

// These children, in this order; one that is there already and the same stays, and with it what is selected in it or focused.
function renew(parent, children) {
  children.forEach((fresh, n) => {
    const there = parent.children[n];
    if (!there) parent.append(fresh);
    else if (!there.isEqualNode(fresh)) there.replaceWith(fresh);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
}

// rows of cells; a cell is a text, a node, or {text, as: class}. A button that had the focus has it again wherever its row has gone.
function fill_table(section, heads, rows, none) {
  const into = section.querySelector(".rows"), held = into.contains(document.activeElement) ? document.activeElement.textContent : null;
  if (rows.length === 0) return renew(into, [element("p", { className: "none" }, none)]);
  const cell = (tag, c, as) => element(tag, { className: [as, c?.as].filter(Boolean).join(" ") }, c?.text ?? c);
  const body = into.querySelector("tbody") ?? begin_table(into, heads.map(h => cell("th", h.name, h.as)));
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((r, i) => renew(body.rows[i] ?? body.insertRow(), r.map((c, n) => cell("td", c, heads[n].as))));
  if (held !== null && !into.contains(document.activeElement)) [...into.querySelectorAll("button")].find(b => b.textContent === held)?.focus({ preventScroll: true });
}

function begin_table(into, heads) {
  const body = element("tbody");
  heads.forEach(h => { h.scope = "col"; });
  into.replaceChildren(element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body));
  return body;
}
