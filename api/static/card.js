// One suggestion: who, where, how well it fits and why.

import { element, french, inFrench, SERIES } from "./page.js";

export function card({ score, confidence, supplier, capability, highlights, trades, also, distance_km, nearness, missing }, near) {
  const name = element("h2", {}, supplier.name);
  const place = element("div", { className: "place" }, [placeOf(supplier), ...farness(distance_km, nearness, near)].filter(Boolean).join(" · "));
  const top = element("div", { className: "top" }, element("div", {}, name, place), fit(score, confidence));
  const sentence = element("p", { className: "capability" }, ...marked(capability, highlights));
  return element("li", { tabIndex: -1 }, top, sentence, ...because(trades), ...alsoAble(also),
    ...facts(supplier), ...lacking(missing), ...others(supplier, [capability, ...also]), ...site(supplier));
}

function because(trades) {
  if (!trades.length) return [];
  const title = trades.length > 1 ? "Métiers en commun" : "Métier en commun";
  return [element("p", { className: "because" }, `${title}\u00a0: ${trades.join(", ")}`)];
}

function alsoAble(texts) {
  if (!texts.length) return [];
  const items = texts.map((text) => element("li", {}, text));
  return [element("div", { className: "also" }, element("span", {}, "Aussi\u00a0: "), element("ul", {}, ...items))];
}

function lacking(certificates) {
  if (!certificates.length) return [];
  const said = certificates.length > 1 ? "non indiqués sur la fiche" : "non indiqué sur la fiche";
  return [element("p", { className: "missing" }, french(`${certificates.join(", ")} : ${said}`))];
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

// `near` is the place asked for, null where none is. A whole département is no point to measure
// from within it; elsewhere a supplier may stand at the middle of his, hence « environ ».
function farness(km, nearness, near) {
  if (!near) return [];
  if (km === null) return ["distance inconnue"];
  if (nearness === "même département" && near.department && !near.city) return [nearness];
  const far = km < 1 ? "à moins de 1\u00a0km" : `à environ ${inFrench(Math.round(km))}\u00a0km`;
  return [[far, nearness].filter(Boolean).join(", ")];
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

function facts({ certifications, series, tags }) {
  const texts = [...certifications, ...series.map((size) => SERIES[size] ?? size), ...tags];
  if (!texts.length) return [];
  return [element("ul", { className: "facts" }, ...texts.map((text) => element("li", {}, text)))];
}

function others({ capabilities }, shown) {
  const rest = capabilities.filter((text) => !shown.includes(text));
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
