// The search page: a need and its criteria go to POST /v1/search of this server, suggestions come
// back. The link says both, so that it can be sent on and the way back works.

import { card } from "./card.js";
import { placeOf } from "./departments.js";
import { element, french } from "./page.js";
import { bodyOf, complain, emptyPanel, fromForm, fromLink, linkOf, setPlace, showChips, showPanel } from "./refine.js";

const PAGE = 10;
const MOST = 100;
const UNKNOWN_PLACE = "The place or filter is not known";

const form = document.querySelector("form");
const field = document.querySelector("#need");
const panel = document.querySelector("#refine");
const city = document.querySelector("#city");
const distance = document.querySelector("#max_km");
const chips = document.querySelector("#chips");
const status = document.querySelector("#status");
const evokes = document.querySelector("#evokes");
const list = document.querySelector("#suggestions");
const examples = document.querySelector("#examples");
const more = document.querySelector("#more");

const TITLE = document.title;

class Refusal extends Error {}
class UnknownPlace extends Error {}

let running = new AbortController();
let ignored = []; // labels of the places of the text that the visitor has removed
let around = ""; // the place of the text that was applied, if any
let shown = { link: "", criteria: null, k: 0 };

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
panel.addEventListener("change", ({ target }) => {
  if (target === distance && distance.value && !city.value.trim()) {
    if (!around) return complain("Donnez d'abord un lieu : une commune ou un département.");
    city.value = around;
  }
  refine();
});
city.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    refine();
  }
});
document.querySelector("#clear").addEventListener("click", () => {
  emptyPanel();
  refine();
});
chips.addEventListener("click", ({ target }) => {
  const chip = target.closest("button");
  if (!chip) return;
  const others = ignored.filter((label) => label !== chip.value);
  ignored = others.length < ignored.length ? others : [...ignored, chip.value];
  refine();
});
examples.addEventListener("click", (event) => {
  if (!event.target.matches("button")) return;
  field.focus(); // the example goes out of sight, and would take the focus with it
  field.value = event.target.textContent;
  ask();
});
more.addEventListener("click", async () => {
  const next = shown.k;
  await search(shown.criteria, next + PAGE);
  (list.children[next] ?? more).focus();
});
addEventListener("popstate", restore);
restore();

function restore() {
  const criteria = fromLink(location.search);
  field.value = criteria.need;
  ignored = criteria.ignore;
  setPlace(criteria);
  showPanel(criteria);
  if (criteria.need.trim()) search(criteria, PAGE);
  else clear();
}

function ask() {
  const criteria = fromForm(ignored);
  if (!criteria.need.trim()) {
    clear();
    return say("Décrivez votre besoin en quelques mots.", true);
  }
  const link = linkOf(criteria);
  if (link !== location.search) history.pushState(null, "", link);
  return search(criteria, PAGE);
}

// What has changed in the panel or the chips; leaving a field after Enter changes nothing more.
function refine() {
  if (linkOf(fromForm(ignored)) !== location.search) ask();
}

function clear() {
  running.abort();
  document.title = TITLE;
  list.removeAttribute("aria-busy");
  list.replaceChildren();
  evokes.replaceChildren();
  chips.hidden = panel.hidden = true;
  say("");
  more.hidden = true;
  examples.hidden = false;
}

async function search(criteria, k) {
  const link = linkOf(criteria);
  running.abort();
  running = new AbortController();
  say("Recherche en cours…");
  list.setAttribute("aria-busy", "true");
  try {
    const answer = await post("v1/search", { ...bodyOf(criteria), k }, running.signal);
    show(answer, criteria, k);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (link !== shown.link) {
      evokes.replaceChildren();
      list.replaceChildren(); // the answer to another need would mislead
      more.hidden = true;
      if (criteria.need !== shown.criteria?.need) chips.hidden = true;
    }
    showPanel(criteria);
    refuse(error);
  }
  list.removeAttribute("aria-busy");
}

function refuse(error) {
  if (error instanceof UnknownPlace) {
    examples.hidden = true;
    complain(error.message);
    return say("La recherche attend un lieu connu\u00a0: corrigez ou videz «\u00a0Près de\u00a0».", true);
  }
  say(error instanceof Refusal ? error.message : "La réponse du serveur n'a pas pu être lue. Réessayez.", true);
}

async function post(path, body, signal) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("Le serveur ne répond pas. Vérifiez votre connexion et réessayez.");
  }
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  if (problem.title === UNKNOWN_PLACE && body.near) throw new UnknownPlace(problem.detail);
  throw new Refusal(problem.title === UNKNOWN_PLACE ? french(problem.detail) : explanation(response.status));
}

function explanation(code) {
  if (code === 422) return "Ce besoin ne peut pas être cherché. Décrivez-le avec des mots, en 5 000 caractères au plus.";
  if (code === 413) return "Ce texte est trop long. Gardez l'essentiel du besoin.";
  return `Le serveur a répondu par une erreur (${code}). Réessayez dans un instant.`;
}

function show(answer, criteria, k) {
  const { suggestions, trades, read_as, wishes, applied, facets } = answer;
  shown = { link: linkOf(criteria), criteria, k };
  document.title = `${criteria.need.slice(0, 60)} : maillon`;
  examples.hidden = true;
  around = wishes.find(({ kind, label }) => kind === "near" && applied.includes(label))?.value ?? "";
  const place = criteria.city || around;
  showChips(wishes, applied, criteria);
  showPanel(criteria, facets);
  evokes.replaceChildren(...evoked(trades, read_as, bare(criteria.need, wishes, applied)));
  list.replaceChildren(...suggestions.map((one) => card(one, place ? placeOf(place) : null)));
  more.hidden = suggestions.length < k || k >= MOST;
  say(outcome(answer, Boolean(place)));
}

function outcome({ suggestions, gap, applied, took_ms }, near) {
  const count = suggestions.length;
  if (!count) return "Aucun fournisseur ne remplit tous ces critères. Retirez-en un.";
  if (gap) return "Aucun fournisseur ne correspond bien à ce besoin. Voici les plus proches, à vérifier.";
  const ms = Math.max(1, Math.round(took_ms)).toLocaleString("fr-FR");
  const where = applied.length ? `, ${applied.join(", ")}` : "";
  const who = `${count} ${count > 1 ? "premiers fournisseurs" : "fournisseur"}${where}`;
  const order = near ? "par correspondance et proximité" : "de la meilleure à la moins bonne correspondance";
  return french(`${who}, ${order} (${ms} ms).`);
}

function say(text, error = false) {
  status.textContent = text;
  status.classList.toggle("error", error);
}

function evoked(trades, readAs, need) {
  const mended = plain(readAs) === plain(need) ? [] : ["Lu comme\u00a0: ", element("q", {}, readAs), " "];
  if (!trades.length) return mended;
  return [...mended, "Votre besoin évoque\u00a0: ", element("strong", {}, trades.join(", ")), "."];
}

// The need without the places that became criteria, as the server reads it; places of wishes count
// code points of the need as the server cleans it.
function bare(need, wishes, applied) {
  const points = Array.from(plain(need));
  for (const { label, start, end } of wishes) {
    if (applied.includes(label)) points.fill(" ", start, end);
  }
  return points.join("");
}

function plain(text) {
  return text.normalize("NFC").replace(/[’ʼ]/g, "'").split(/\s+/).join(" ").trim();
}
