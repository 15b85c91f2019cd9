// The search page: a need goes to POST /v1/search of this server, suggestions come back.
// Every text from outside enters the page through textContent, never as HTML.

const PAGE = 10;
const MOST = 100;
const SERIES = {
  prototype: "prototypes", petite: "petites séries", moyenne: "moyennes séries", grande: "grandes séries",
};

const form = document.querySelector("form");
const field = document.querySelector("#need");
const status = document.querySelector("#status");
const evokes = document.querySelector("#evokes");
const list = document.querySelector("#suggestions");
const examples = document.querySelector("#examples");
const more = document.querySelector("#more");

const TITLE = document.title;

class Refusal extends Error {}

let running = new AbortController();
let shown = { need: "", k: 0 };

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(field.value);
});
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
examples.addEventListener("click", (event) => {
  if (!event.target.matches("button")) return;
  field.focus(); // the example goes out of sight, and would take the focus with it
  ask(event.target.textContent);
});
more.addEventListener("click", async () => {
  const next = shown.k;
  await search(shown.need, next + PAGE);
  (list.children[next] ?? more).focus();
});
addEventListener("popstate", restore);
restore();

function restore() {
  const need = new URLSearchParams(location.search).get("q") ?? "";
  field.value = need;
  if (need.trim()) search(need, PAGE);
  else clear();
}

function ask(need) {
  field.value = need;
  if (!need.trim()) {
    clear();
    return say("Décrivez votre besoin en quelques mots.", true);
  }
  const link = `?${new URLSearchParams({ q: need })}`;
  if (link !== location.search) history.pushState(null, "", link);
  return search(need, PAGE);
}

function clear() {
  running.abort();
  document.title = TITLE;
  list.removeAttribute("aria-busy");
  list.replaceChildren();
  evokes.replaceChildren();
  say("");
  more.hidden = true;
  examples.hidden = false;
}

async function search(need, k) {
  running.abort();
  running = new AbortController();
  say("Recherche en cours…");
  list.setAttribute("aria-busy", "true");
  try {
    const answer = await post("v1/search", { need, k }, running.signal);
    show(answer, need, k);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (need !== shown.need) {
      evokes.replaceChildren();
      list.replaceChildren(); // the answer to another need would mislead
      more.hidden = true;
    }
    say(error instanceof Refusal ? error.message : "La réponse du serveur n'a pas pu être lue. Réessayez.", true);
  }
  list.removeAttribute("aria-busy");
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
  throw new Refusal(explanation(response.status));
}

function explanation(code) {
  if (code === 422) return "Ce besoin ne peut pas être cherché. Décrivez-le avec des mots, en 5 000 caractères au plus.";
  if (code === 413) return "Ce texte est trop long. Gardez l'essentiel du besoin.";
  return `Le serveur a répondu par une erreur (${code}). Réessayez dans un instant.`;
}

function show({ suggestions, gap, read_as, trades, took_ms }, need, k) {
  shown = { need, k };
  document.title = `${need.slice(0, 60)} : maillon`;
  examples.hidden = true;
  evokes.replaceChildren(...evoked(trades, read_as, need));
  list.replaceChildren(...suggestions.map(card));
  more.hidden = suggestions.length < k || k >= MOST;
  const count = suggestions.length;
  const ms = Math.max(1, Math.round(took_ms)).toLocaleString("fr-FR");
  if (gap) return say("Aucun fournisseur ne correspond bien à ce besoin. Voici les plus proches, à vérifier.");
  say(`${count} ${count > 1 ? "premiers fournisseurs" : "fournisseur"}, de la meilleure à la moins bonne correspondance (${ms} ms).`);
}

function say(text, error = false) {
  status.textContent = text;
  status.classList.toggle("error", error);
}

function card({ score, confidence, supplier, capability, highlights, trades }) {
  const name = element("h2", {}, supplier.name);
  const place = element("div", { className: "place" }, placeOf(supplier));
  const top = element("div", { className: "top" }, element("div", {}, name, place), fit(score, confidence));
  const sentence = element("p", { className: "capability" }, ...marked(capability, highlights));
  return element("li", { tabIndex: -1 }, top, sentence, ...because(trades), ...facts(supplier), ...others(supplier, capability), ...site(supplier));
}

function evoked(trades, readAs, need) {
  const plain = (text) => text.replaceAll("’", "'").split(/\s+/).join(" ").trim();
  const mended = plain(readAs) === plain(need) ? [] : ["Lu comme\u00a0: ", element("q", {}, readAs), " "];
  if (!trades.length) return mended;
  return [...mended, "Votre besoin évoque\u00a0: ", element("strong", {}, trades.join(", ")), "."];
}

function because(trades) {
  if (!trades.length) return [];
  const title = trades.length > 1 ? "Métiers en commun" : "Métier en commun";
  return [element("p", { className: "because" }, `${title}\u00a0: ${trades.join(", ")}`)];
}

function fit(score, confidence) {
  const percent = Math.round((confidence ?? score) * 100);
  const words = confidence === null ? "correspondance" : inWords(confidence);
  const meter = element("meter", { min: 0, max: 100, value: percent });
  const name = confidence === null ? "Correspondance avec le besoin" : "Confiance";
  meter.setAttribute("aria-label", `${name}\u00a0: ${percent} sur 100`);
  return element("div", { className: "fit" }, words, meter);
}

function inWords(confidence) {
  if (confidence >= 0.6) return "très probable";
  if (confidence >= 0.3) return "probable";
  return confidence >= 0.12 ? "possible" : "peu probable";
}

function placeOf({ postcode, city, department }) {
  if (city) return [postcode, city].filter(Boolean).join(" ");
  return department ? `Département ${department}` : "";
}

// Places of highlights count code points, as the API says; JavaScript strings count UTF-16 units.
function marked(text, highlights) {
  const points = Array.from(text.replace(/(\d) (?=\d{3}(?!\d))/g, "$1\u00a0")); // "5 000" on one line
  const pieces = [];
  let done = 0;
  for (const { start, end, weight } of highlights) {
    pieces.push(points.slice(done, start).join(""));
    const strength = weight > 0.66 ? "w3" : weight > 0.4 ? "w2" : "w1";
    pieces.push(element("mark", { className: strength }, points.slice(start, end).join("")));
    done = end;
  }
  return [...pieces, points.slice(done).join("")];
}

function facts({ certifications, series }) {
  const texts = [...certifications, ...series.map((size) => SERIES[size] ?? size)];
  if (!texts.length) return [];
  return [element("ul", { className: "facts" }, ...texts.map((text) => element("li", {}, text)))];
}

function others({ capabilities }, shownOne) {
  const rest = capabilities.filter((text) => text !== shownOne);
  if (!rest.length) return [];
  const items = rest.map((text) => element("li", {}, text));
  const title = rest.length > 1 ? `${rest.length} autres capacités` : "1 autre capacité";
  return [element("details", {}, element("summary", {}, title), element("ul", {}, ...items))];
}

function site({ url }) {
  if (!url || !/^https?:/i.test(url) || !URL.canParse(url)) return [];
  const link = element("a", { href: url, rel: "noopener noreferrer nofollow", target: "_blank" }, new URL(url).hostname);
  return [element("p", { className: "place" }, link)];
}

function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}
