// Asks every two seconds, and shows; the plots every five. Whatever fails is said, and what stands there is marked as old.
const look_every = 2000, plot_every = 5000;
const plots = [new Plot("by-client", "client", "upload", rate), new Plot("by-entry", "entry", "upload", rate), new Plot("by-reason", "reason", "count", n => `${count(n)}/s`)];
const memory = { status: null, before: [], tunnels: null, history: null, page: 1, paused: false, answered: 0 };

async function ask(path) {
  const reply = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(9000) });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${(await reply.text()).trim()}`);
  return { ...await reply.json(), asked: performance.now() };
}

// How fast numbers rise between two answers; a restart makes them fall.
function speeds(before, now, rows, key, value) {
  const made = new Map();
  if (!before) return made;
  const seconds = (now.asked - before.asked) / 1000, old = new Map(rows(before).map(r => [r[key], r[value]]));
  for (const r of rows(now)) if (old.has(r[key]) && seconds > 0) made.set(r[key], Math.max(0, r[value] - old.get(r[key])) / seconds);
  return made;
}

// Bytes since the last answer; refusals, which come one by one, since half a minute ago.
function total_speed(earlier, now) {
  const last = earlier.at(-1);
  if (!last || last.totals.upload_bytes > now.totals.upload_bytes) return null;
  const of = (key, since) => Math.max(0, now.totals[key] - since.totals[key]) / ((now.asked - since.asked) / 1000);
  return { upload: of("upload_bytes", last), download: of("download_bytes", last), denied: of("requests_denied", earlier[0]) };
}

// A client's name as a way to its tunnels, at one entry where there is one; an entry's to all tunnels there.
function only_these(name, title, client, entry) {
  return element("button", { type: "button", title, onclick: () => { byId("client").value = client; byId("entry").value = entry; narrow(); go_to("tunnels"); } }, name);
}
const only_client = (name, entry) => only_these(name, `tunnels of ${name}${entry ? ` at ${entry}` : ""}`, name, entry ?? "");
const only_entry = name => only_these(name, `tunnels at ${name}`, "", name);

function show_state(s) {
  const state = byId("state"), [text, as] = s.draining ? ["draining", "warn"] : !s.ready ? ["not ready", "bad"] : s.warnings.length ? ["serving, with a warning", "warn"] : ["serving", "good"];
  if (state.textContent !== text) state.textContent = text;
  state.className = `pill ${as}`;
  byId("where").textContent = `${location.host} · ${s.version} (${s.revision}) · up ${time_span(s.uptime_seconds)} · ${s.workers} workers`;
  document.title = `${as === "good" ? "" : `${text} · `}exeat ${location.host}`;
  say([...s.reasons, ...s.warnings].join("\n"), s.ready ? "warn" : "");
}

function say(text, as = "") {
  const trouble = byId("trouble");
  if (trouble.textContent !== text) trouble.textContent = text;
  trouble.className = `trouble ${as}`;
  trouble.hidden = text === "";
}

function show(s, before) {
  const rows_of = key => a => a[key];
  show_state(s);
  show_tiles(s, total_speed(memory.before, s));
  show_policy(s);
  show_findings(s, only_client);
  show_budgets(s, only_client);
  show_clients(s, speeds(before, s, rows_of("clients"), "client", "upload_bytes"), only_client);
  show_entries(s, speeds(before, s, rows_of("entries"), "entry", "upload_bytes"));
}

function tunnels_path() {
  const query = new URLSearchParams({ sort: byId("sort").value, page: memory.page });
  for (const field of ["client", "entry"]) if (byId(field).value.trim()) query.set(field, byId(field).value.trim());
  return `/api/tunnels?${query}`;
}

async function look_at_tunnels() {
  try {
    const found = await ask(tunnels_path());
    byId("client").classList.remove("wrong");
    show_tunnels(found, speeds(memory.tunnels, found, a => a.tunnels, "id", "upload_bytes"), only_client);
    memory.tunnels = found;
    if (found.page > Math.max(1, found.pages)) turn(Math.max(1, found.pages) - memory.page);
  } catch (failed) {
    if (!/: 400 /.test(failed.message)) throw failed; // half an address, most likely: it is still being typed
    byId("client").classList.add("wrong");
    byId("counted").textContent = failed.message.replace(/^.*: 400 /, "");
  }
}

async function look() {
  if (memory.paused || document.hidden) return;
  try {
    const [status] = await Promise.all([ask("/api/status"), look_at_tunnels()]);
    show(status, memory.status);
    memory.status = status;
    memory.before = [...memory.before, status].slice(-15);
    memory.answered = performance.now();
    document.body.classList.remove("old");
  } catch (failed) {
    say(`No answer: ${failed.message}. What is shown is of ${memory.status ? moment(memory.status.now) : "never"}.`);
    document.body.classList.add("old");
  }
}

function show_plots() {
  const h = memory.history;
  if (h) [h.clients, h.entries, h.denied].forEach((series, i) => plots[i].show(series, h, memory.status?.uptime_seconds ?? 3600));
  else plots.forEach(p => p.repaint());
}

async function plot() {
  if (memory.paused || document.hidden) return;
  try {
    memory.history = await ask("/api/history");
    show_plots();
  } catch { /* look() says it */ }
}

function show_age() {
  const age = (performance.now() - memory.answered) / 1000;
  byId("fresh").textContent = memory.paused ? "paused" : memory.answered === 0 ? "" : age < 5 ? "live" : `${time_span(age)} old`;
  byId("fresh").className = !memory.paused && age >= 5 ? "bad" : "quiet";
}

function turn(by) { memory.page = Math.max(1, memory.page + by); look_at_tunnels().catch(() => {}); }
function narrow() { memory.page = 1; memory.tunnels = null; look_at_tunnels().catch(() => {}); }
function go_to(id) { byId(id).scrollIntoView({ block: "start" }); byId(id).focus({ preventScroll: true }); }

function pause() {
  memory.paused = !memory.paused;
  byId("pause").setAttribute("aria-pressed", memory.paused);
  byId("pause").textContent = memory.paused ? "Go on" : "Pause";
  show_age();
  look();
}

// As the system has it, then the other, and so on; kept for this browser where it lets us.
function theme(next) {
  const root = document.documentElement;
  if (next) root.dataset.theme = next;
  else delete root.dataset.theme;
  try { localStorage.setItem("theme", next); } catch { /* then not */ }
  byId("theme").textContent = { "": "Theme: system", light: "Theme: light", dark: "Theme: dark" }[next];
  show_plots();
}
const next_theme = { "": "dark", dark: "light", light: "" };
const turn_theme = () => theme(next_theme[document.documentElement.dataset.theme ?? ""]);

const keys = {
  1: () => go_to("findings"), 2: () => go_to("budgets"), 3: () => go_to("clients"), 4: () => go_to("entries"), 5: () => go_to("tunnels"),
  "/": () => { go_to("tunnels"); byId("client").focus(); },
  s: () => { const sort = byId("sort"); sort.selectedIndex = (sort.selectedIndex + 1) % sort.length; narrow(); },
  "[": () => byId("back").click(), "]": () => byId("on").click(),
  p: pause, t: turn_theme, "?": () => byId("keys").showModal(),
};

document.addEventListener("keydown", event => {
  if (event.key === "Escape" && event.target instanceof HTMLInputElement) return event.target.blur();
  if (event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || byId("keys").open) return;
  if (!Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
});
byId("narrow").addEventListener("submit", event => event.preventDefault());
for (const field of ["client", "entry"]) byId(field).addEventListener("input", narrow);
byId("sort").addEventListener("change", narrow);
byId("back").addEventListener("click", () => turn(-1));
byId("on").addEventListener("click", () => turn(1));
byId("pause").addEventListener("click", pause);
byId("theme").addEventListener("click", turn_theme);
byId("help").addEventListener("click", keys["?"]);
document.addEventListener("visibilitychange", () => { look(); plot(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => theme(document.documentElement.dataset.theme ?? ""));

// One after the other, so that a slow answer is never overtaken by a newer one.
async function for_ever(what, every) { for (;;) { await what(); await new Promise(go_on => setTimeout(go_on, every)); } }
let kept_theme = "";
try { kept_theme = localStorage.getItem("theme") ?? ""; } catch { /* then the system's */ }
theme(Object.hasOwn(next_theme, kept_theme) ? kept_theme : "");
for_ever(look, look_every);
setTimeout(() => for_ever(plot, plot_every), 300); // the state comes first, as it says how long there is anything to plot
setInterval(show_age, 1000);
