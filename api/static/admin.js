// The administration of a directory, for who holds one of its secret keys. What comes from the
// server enters the page as text, never as HTML.

const KEY = `maillon ${location.pathname}`; // a directory a path, a key a directory
const KINDS = ["xlsx", "csv", "tsv", "jsonl"];
const SECOND = 1000;
const ENCODERS = {
  "maillon-pair-2": "le plus précis, celui par défaut",
  "maillon-static-3": "le plus rapide, un peu moins précis ; pour les très grands annuaires",
  "maillon-transformer-1": "la moitié lente de l'encodeur par défaut, à elle seule ; pour comparer",
};

const at = (id) => document.getElementById(id);
const number = (value) => value.toLocaleString("fr");
const day = (moment) => new Date(moment).toLocaleDateString("fr", { dateStyle: "long" });
const counted = (value, one, many) => `${number(value)} ${value < 2 ? one : many}`; // 0 is singular

// No line breaks before « : » and inside quotes.
const french = (text) => text.replace(/ (?=[:;?!»])|(?<=«) /g, "\u00a0");

function say(id, text) {
  at(id).textContent = text;
}

// What a person is told instead of an answer; `status` is that of HTTP, 0 where none came.
class Refusal extends Error {
  constructor(text, status = 0) {
    super(french(text));
    this.status = status;
  }
}

function refuse(text, status) {
  throw new Refusal(text, status);
}

const unreached = () => refuse("Le serveur ne répond pas. Rien n'est perdu : vérifiez votre connexion et recommencez.");

async function ask(path, { read = "json", headers, ...options } = {}) {
  const named = { ...headers, authorization: `Bearer ${sessionStorage.getItem(KEY)}` };
  const response = await fetch(`v1/${path}`, { ...options, headers: named }).catch(unreached);
  return response.ok ? response[read]().catch(unreached) : refuse(await reason(response), response.status);
}

async function reason(response) {
  const { detail } = await response.json().catch(() => ({}));
  const reasons = {
    401: "Cette clé n'est pas connue, ou elle a été révoquée.",
    403: "Cette clé permet seulement de chercher. Il faut une clé secrète, qui commence par « sk_ ».",
    409: "Rien n'a été lancé : un changement est déjà en cours, ou l'annuaire n'est qu'en mémoire.",
    413: "Le fichier dépasse ce que le serveur lit d'un coup, 32 Mo. En .xlsx il est souvent plus petit.",
    422: detail, // of a supplier file, in French
    429: `Trop d'essais depuis cette adresse. Réessayez dans ${response.headers.get("retry-after")} s.`,
  };
  return reasons[response.status] ?? `Le serveur répond par l'erreur ${response.status}. Réessayez plus tard.`;
}

// Does what was asked for, once at a time, and tells at `place` what went wrong.
async function attempt(form, place, work) {
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  await work().catch((error) => tell(error, place));
  form.ariaBusy = "false";
}

function tell(error, place) {
  if ([401, 403].includes(error.status)) leave(error.message);
  else say(place, error.message);
}

// The key.

at("door").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, at("key").value.trim());
  attempt(at("door"), "key-error", enter);
});

at("leave").addEventListener("click", () => {
  sessionStorage.removeItem(KEY);
  location.reload();
});

async function enter() {
  say("key-error", "");
  await refresh();
  at("key").value = "";
  show(true);
  at("directory-title").focus();
}

function leave(why) {
  sessionStorage.removeItem(KEY);
  clearTimeout(next);
  show(false);
  say("key-error", why);
  at("key").focus();
}

function show(inside) {
  at("door").hidden = inside;
  at("inside").hidden = at("leave").hidden = !inside;
}

async function refresh() {
  showState(await ask("state"));
  showStats(await ask("stats"));
}

// What the directory holds, and what people do with it.

function showState(state) {
  for (const name of ["suppliers", "capabilities", "delta"]) say(name, number(state[name]));
  say("encoder", state.encoder);
  offer(state);
  follow(state);
}

function showStats({ needs_kept_days: days, counts, frequent, unanswered }) {
  for (const name of ["relevant", "irrelevant", "judgements"]) say(name, number(counts[name]));
  at("needs-unkept").hidden = days > 0;
  at("needs").hidden = at("needs-kept").hidden = !days;
  const searches = counted(counts.searches, "recherche", "recherches");
  say("needs-kept", `${searches} en ${counted(days, "jour", "jours")}, dont ${number(counts.gaps)} sans réponse.`);
  fill("frequent", frequent.map(({ need, times, last }) => [need, number(times), day(last)]));
  fill("unanswered", unanswered.map(({ need, gaps, last }) => [need, number(gaps), day(last)]));
}

function fill(id, rows) {
  at(id).replaceChildren();
  for (const cells of rows) {
    const row = at(id).insertRow();
    for (const cell of cells) row.insertCell().textContent = cell;
  }
  if (!rows.length) nothing(at(id).insertRow().insertCell());
}

function nothing(cell) {
  cell.colSpan = 3;
  cell.className = "nothing";
  cell.textContent = "Rien pour l'instant.";
}

// A file of suppliers.

at("load").addEventListener("submit", (event) => {
  event.preventDefault();
  if (at("sync").checked) confirm();
  else load();
});

at("confirm").addEventListener("close", ({ target }) => {
  if (target.returnValue === "yes") load();
});

at("file").addEventListener("change", ({ target }) => {
  const known = !target.files.length || KINDS.includes(kind(target.files[0].name));
  target.setCustomValidity(known ? "" : "Choisissez un fichier .xlsx, .csv, .tsv ou .jsonl.");
  target.reportValidity();
});

for (const name of ["dragover", "dragleave", "drop"]) {
  addEventListener(name, (event) => {
    event.preventDefault(); // or the browser opens the file in place of the page
    document.body.classList.toggle("dragging", name === "dragover");
  });
}

addEventListener("drop", ({ dataTransfer }) => {
  if (!dataTransfer.files.length) return;
  at("file").files = dataTransfer.files;
  at("file").dispatchEvent(new Event("change"));
});

const kind = (name) => name.split(".").pop().toLowerCase();

function confirm() {
  const [file] = at("file").files;
  say("confirm-said", french(`Ceux qui ne sont pas dans « ${file.name} » ne seront plus trouvés. L'annuaire compte aujourd'hui ${at("suppliers").textContent}\u00a0fournisseurs.`));
  at("confirm").returnValue = ""; // Escape would leave that of the last time
  at("confirm").showModal();
}

const load = () => attempt(at("load"), "loading", async () => {
  const [file] = at("file").files;
  const sync = at("sync").checked;
  say("loading", french(`Chargement de « ${file.name} »…`));
  report(file.name, sync, await send(file, sync));
  await refresh();
});

// Suppliers are written all or none: after a failure the same file may simply be sent again.
async function send(file, sync) {
  const body = await file.arrayBuffer().catch(() => refuse("Ce fichier a changé ou a disparu depuis que vous l'avez choisi. Choisissez-le de nouveau."));
  const query = new URLSearchParams({ kind: kind(file.name), sync });
  return ask(`directory?${query}`, { method: "POST", body, headers: { "content-type": "application/octet-stream" } });
}

let rejectedLines = []; // whole, so that they can be mended in a spreadsheet and loaded

function report(name, sync, imported) {
  const { detected, header, read, changes, rejected, rejects } = imported;
  rejectedLines = [["ligne", "motif", ...header], ...rejects.map(({ line, reason: why, cells }) => [line, why, ...cells])];
  say("detected", french(`« ${name} » : ${detected}.`));
  for (const [what, count] of Object.entries(changes)) say(what, number(count));
  at("rejected").hidden = !rejected;
  at("kept").hidden = !sync;
  say("rejected-title", rejected > rejects.length
    ? `Les ${number(rejects.length)} premières lignes rejetées, sur ${number(rejected)}`
    : counted(rejected, "ligne rejetée", "lignes rejetées"));
  fill("rejects", rejects.map(({ line, reason: why }) => [line, why]));
  at("report").hidden = false;
  say("loading", `Chargé. ${counted(read, "fournisseur lu", "fournisseurs lus")}, ${counted(rejected, "ligne rejetée", "lignes rejetées")}.`);
}

at("save-rejects").addEventListener("click", () => {
  const lines = rejectedLines.map((cells) => cells.map(cell).join(";"));
  save("lignes-rejetees.csv", new Blob([`\ufeff${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
});

// A spreadsheet would compute what begins like a formula.
const cell = (value) => `"${String(value).replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;

// Downloads: fetched here, for a link cannot carry the key.

at("downloads").addEventListener("click", ({ target }) => {
  const { path, name } = target.dataset;
  if (path) attempt(at("downloads"), "downloading", async () => {
    say("downloading", "");
    save(name, await ask(path, { read: "blob" }));
  });
});

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60 * SECOND);
}

// The encoder.

let offered = "";
let before = ""; // the encoder when a change began that is still followed
let next = 0;

function offer({ encoder, encoders }) {
  if (encoder === offered) return;
  offered = encoder;
  at("encoders").replaceChildren(...encoders.map(choice));
}

function choice(name) {
  const input = document.createElement("input");
  Object.assign(input, { type: "radio", name: "encoder", value: name, required: true, disabled: name === offered });
  const said = document.createElement("span");
  const strong = document.createElement("strong");
  strong.textContent = name;
  said.append(strong, french(` : ${ENCODERS[name] ?? ""}${name === offered ? " (en service)" : ""}`));
  const label = document.createElement("label");
  label.append(input, said);
  return label;
}

at("change").addEventListener("submit", (event) => {
  event.preventDefault();
  const encoder = new FormData(event.target).get("encoder");
  attempt(event.target, "changing", async () => {
    const body = JSON.stringify({ encoder, gate: at("gate").checked });
    await ask("encoder", { method: "POST", body, headers: { "content-type": "application/json" } });
    before = offered;
    showState(await ask("state"));
  });
});

function follow({ encoder, switching }) {
  clearTimeout(next);
  at("switching").hidden = !switching;
  say("log", switching?.said || "…");
  if (switching?.running) {
    before ||= encoder;
    say("changing", "Changement en cours…");
    next = setTimeout(look, 2 * SECOND);
  } else if (before) {
    say("changing", ended(encoder));
    before = "";
  }
}

function ended(encoder) {
  return french(encoder === before
    ? `L'encodeur reste ${encoder}. Voyez le journal ; relancé, le changement reprend où il en était.`
    : `C'est fait : l'annuaire répond maintenant avec ${encoder}.`);
}

async function look() {
  await ask("state").then(showState).catch((error) => {
    next = setTimeout(look, 2 * SECOND);
    tell(error, "changing");
  });
}

if (sessionStorage.getItem(KEY)) attempt(at("door"), "key-error", enter);
else at("key").focus();
