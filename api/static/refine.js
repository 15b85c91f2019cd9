// The criteria of a search besides the need: kept in the link, chosen in the panel « Affiner », said
// as chips. Their names in the link are those of GET /v1/search.

import { DEPARTMENTS, departmentName, placeOf } from "./departments.js";
import { element, french, inFrench, SERIES } from "./page.js";

const LISTS = ["series", "certifications", "departments", "ignore"];
const MOST_VALUES = 200; // as the API reads
const MOST_IGNORED = 20;
const FIRST_SHOWN = 6;
const NEARNESS = 0.3; // what nearness weighs around a place, as where a need says « autour de »

const form = document.querySelector("form");
const panel = document.querySelector("#refine");
const chosen = document.querySelector("#chosen");
const city = document.querySelector("#city");
const distance = document.querySelector("#max_km");
const placeError = document.querySelector("#place-error");
const chips = document.querySelector("#chips");
const fields = {
  series: { box: document.querySelector("#series"), nameOf: (value) => SERIES[value] },
  certifications: { box: document.querySelector("#certifications"), nameOf: (value) => value },
  departments: { box: document.querySelector("#departments"), nameOf: departmentName },
};

document.querySelector("#places").append(
  ...[...DEPARTMENTS.keys()].map((code) => element("option", { value: departmentName(code) })),
);

// --- the link and the form ------------------------------------------------------------------

export function fromLink(search) {
  return checked(new URLSearchParams(search), new URLSearchParams(search).getAll("ignore"));
}

export function fromForm(ignore) {
  return checked(new URLSearchParams(new FormData(form)), ignore);
}

function checked(given, ignore) {
  const some = (name, fits) => [...new Set(given.getAll(name))].filter(fits).slice(0, MOST_VALUES).sort();
  const place = (given.get("city") ?? "").trim().slice(0, 100);
  const km = given.get("max_km");
  return {
    need: given.get("q") ?? "",
    city: place,
    max_km: place && [...distance.options].some(({ value }) => value === km) ? km : "",
    series: Object.keys(SERIES).filter((value) => given.getAll("series").includes(value)),
    certifications: some("certifications", (value) => value.trim()),
    departments: some("departments", (value) => DEPARTMENTS.has(value)),
    ignore: [...new Set(ignore)].slice(-MOST_IGNORED),
  };
}

export function linkOf({ need, city, max_km, ...lists }) {
  const link = new URLSearchParams({ q: need });
  if (city) link.set("city", city);
  if (max_km) link.set("max_km", max_km);
  for (const name of LISTS) for (const value of lists[name]) link.append(name, value);
  return `?${link}`;
}

export function bodyOf({ need, city, max_km, series, certifications, departments, ignore }) {
  const near = city && { ...placeOf(city), max_km: max_km ? Number(max_km) : null };
  const filters = { series, certifications, departments };
  return { need, filters, ignore, facets: true, ...(near && { near, proximity: NEARNESS }) };
}

// --- the panel ------------------------------------------------------------------------------

let counted = null; // of the last answer; none yet where the first one failed

export function showPanel(criteria, facets = counted) {
  counted = facets;
  panel.hidden = !criteria.need.trim();
  complain("");
  for (const [name, { box, nameOf }] of Object.entries(fields)) {
    const counts = counted && new Map(Object.entries(counted[name]));
    fill(box, name, counts, new Set(criteria[name]), nameOf);
  }
  chosen.replaceChildren(inWords(criteria));
}

// What is wrong with the place, said beside its field; nothing where the text is empty.
export function complain(text) {
  placeError.textContent = french(text.charAt(0).toUpperCase() + text.slice(1));
  city.setAttribute("aria-invalid", String(Boolean(text)));
  if (text) panel.open = true;
}

// Only a link writes into the fields of the place: an answer must not undo what is being typed.
export function setPlace(criteria) {
  city.value = criteria.city;
  distance.value = criteria.max_km;
}

export function emptyPanel() {
  setPlace({ city: "", max_km: "" });
  for (const input of panel.querySelectorAll("input[type=checkbox]")) input.checked = false;
}

function inWords({ city, max_km, series, certifications, departments }) {
  const place = city && (max_km ? `${city} (${max_km} km au plus)` : city);
  const names = [place, ...series.map((value) => SERIES[value]), ...certifications, ...departments.map(departmentName)];
  const said = names.filter(Boolean).join(", ");
  return said && `\u00a0: ${french(said)}`;
}

// A list in which the visitor is keeps its order: only its counts change under his hand.
function fill(box, name, counts, ticked, nameOf) {
  const inputs = [...box.querySelectorAll("input")];
  if (!box.contains(document.activeElement) || [...ticked].some((value) => !inputs.some((one) => one.value === value))) {
    return refill(box, name, counts, ticked, nameOf);
  }
  for (const input of inputs) {
    input.checked = ticked.has(input.value);
    input.parentElement.querySelector(".count").textContent = sizeOf(counts, input.value);
  }
}

function refill(box, name, counts, ticked, nameOf) {
  const kinds = name === "series" ? Object.keys(SERIES) : [];
  const values = [...new Set([...kinds, ...(counts?.keys() ?? []), ...ticked])];
  const size = (value) => counts?.get(value) ?? 0;
  const sorted = kinds.length ? values : values.sort((a, b) => size(b) - size(a) || a.localeCompare(b, "fr"));
  const first = sorted.filter((value, place) => place < FIRST_SHOWN || ticked.has(value));
  const rest = sorted.filter((value) => !first.includes(value));
  if (name === "departments") rest.sort();
  const items = (some) => some.map((value) => choice(name, value, nameOf(value), sizeOf(counts, value), ticked.has(value)));
  const open = box.querySelector("details")?.open ?? false;
  const all = element("details", { open, hidden: !rest.length },
    element("summary", {}, `Voir tous (${inFrench(rest.length)} de plus)`),
    element("ul", { className: "choices" }, ...items(rest)));
  box.hidden = !values.length;
  // The legend stays where it is: put back in a closed panel, it makes Chromium lose the fieldset.
  box.querySelector("div").replaceChildren(element("ul", { className: "choices" }, ...items(first)), all);
}

function sizeOf(counts, value) {
  return counts ? inFrench(counts.get(value) ?? 0) : "";
}

function choice(name, value, text, count, checked) {
  const input = element("input", { type: "checkbox", name, value, checked });
  const number = element("span", { className: "count" }, count);
  return element("li", {}, element("label", {}, input, element("span", {}, text), number));
}

// --- chips: what was understood of the need ---------------------------------------------------

export function showChips(wishes, applied, criteria) {
  const held = chips.contains(document.activeElement) && document.activeElement.value;
  const placed = criteria.city || criteria.departments.length;
  const labels = new Map(wishes.map(({ label, kind }) => [label, kind]));
  const items = [...labels].flatMap(([label, kind]) => {
    if (applied.includes(label)) return button(label, "Retirer", "×");
    if (!["department", "region", "near"].includes(kind)) return element("span", { className: "chip" }, french(`demandé : ${label}`));
    return !placed && criteria.ignore.includes(label) ? button(label, "Remettre", "+") : [];
  });
  chips.replaceChildren(...items.map((item) => element("li", {}, item)));
  chips.hidden = !items.length;
  if (held) ([...chips.querySelectorAll("button")].find(({ value }) => value === held) ?? form.elements.need).focus();
}

function button(label, verb, sign) {
  const shown = french(label);
  const made = element("button", { type: "button", value: label, className: `chip ${verb.toLowerCase()}` }, shown, " ");
  made.append(element("span", { ariaHidden: "true" }, sign));
  made.setAttribute("aria-label", french(`${verb} : ${shown}`));
  return made;
}
