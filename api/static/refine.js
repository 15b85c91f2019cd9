// What is asked, as parameters of a link under the names of GET /v1/search; and the panel « Affiner ».

import { DEPARTMENTS, departmentName, placeOf } from "./departments.js";
import { french, inFrench, make } from "./words.js";

const FACETS = { series: "Série", certifications: "Certificats", departments: "Départements" };
const NAMES = ["q", "city", "max_km", ...Object.keys(FACETS), "ignore"];
const PLACES = ["department", "region", "near"];
const SERIES = ["prototype", "petite", "moyenne", "grande"];
const NEARNESS = 0.3; // what nearness weighs around a place, as where a need says « autour de »

export const seriesName = (size) => (size === "prototype" ? "prototypes" : `${size}s séries`);

export function queryOf(given) {
	const query = new URLSearchParams([...given].filter(([name, value]) => NAMES.includes(name) && value.trim()));
	if (!query.has("city")) query.delete("max_km");
	return query;
}

// The address of this page with a query; whatever else it says stays.
export function linkTo(query) {
	const link = new URL(location);
	for (const name of NAMES) link.searchParams.delete(name);
	for (const pair of query) link.searchParams.append(...pair);
	return link;
}

// What POST /v1/search reads; the filters of the page, `fixed`, win.
export function bodyOf(query, fixed) {
	const [need, city, km] = NAMES.map((name) => query.get(name));
	const [series, certifications, departments, ignore] = NAMES.slice(3).map((name) => query.getAll(name));
	const near = city && { near: { ...placeOf(city), max_km: Number(km) || null }, proximity: NEARNESS };
	return { need, filters: { series, certifications, departments, ...fixed }, ...near, ignore, facets: true };
}

export function panel(t, changed) {
	const city = make("input", { name: "city", maxLength: 100, autocomplete: "off", "aria-describedby": "place-error" });
	city.setAttribute("list", "places");
	const places = [...DEPARTMENTS.keys()].map((code) => make("option", { value: departmentName(code) }));
	const kms = [50, 100, 200].map((value) => make("option", { value }, french(`${value} km`)));
	const distance = make("select", { name: "max_km" }, make("option", { value: "" }, t("indifférente")), kms);
	const error = make("p.error", { id: "place-error", role: "alert" });
	const facets = Object.keys(FACETS).map((name) => facet(name, t));
	const chosen = make("span");
	const node = make("details", { onchange }, make("summary", t("Affiner"), chosen), make("div",
		make("fieldset.place", make("legend", t("Lieu")), make("label", t("Près de (commune ou département)"), city),
			make("label", t("Distance au plus"), distance), make("datalist", { id: "places" }, places), error),
		facets.map(({ box }) => box), make("button", { type: "button", onclick }, t("Tout effacer"))));
	let around; // the place that the text names, if any

	function onchange({ target }) {
		if (target === distance && distance.value && !city.value.trim()) {
			if (!around) return complain(t("Donnez d'abord un lieu : une commune ou un département."));
			city.value = around;
		}
		changed();
	}

	function onclick() {
		put(new URLSearchParams());
		changed();
	}

	function put(query) {
		city.value = query.get("city");
		distance.value = query.get("max_km") ?? "";
		for (const { name, fill } of facets) fill(query.getAll(name));
	}

	function complain(text) {
		error.textContent = text;
		city.ariaInvalid = Boolean(text);
		if (text) node.open = true;
	}

	// The fields of the place stay: an answer must not undo what is being typed.
	function show(query, fixed, counted, placed) {
		node.hidden = false;
		around = placed;
		complain("");
		for (const { name, box, fill } of facets) {
			fill(query.getAll(name), counted?.[name]);
			box.hidden = name in fixed || !box.querySelector("li");
		}
		const [, city, km] = NAMES.map((name) => query.get(name));
		const names = facets.flatMap(({ name, called }) => query.getAll(name).map(called));
		const said = [km ? t("{city} ({km} km au plus)", { city, km }) : city, ...names].filter(Boolean).join(", ");
		chosen.textContent = said && french(` : ${said}`);
	}

	return { node, put, complain, show };
}

// The values of one filter, counted. Those once seen stay where they are, under the visitor's hand.
function facet(name, t) {
	const called = { series: (size) => t(seriesName(size)), departments: departmentName }[name] ?? String;
	const list = make("ul");
	const box = make("fieldset", make("legend", t(FACETS[name])), list);
	const boxes = new Map();

	function choice(value) {
		const input = make("input", { type: "checkbox", name, value });
		const count = make("small");
		boxes.set(value, { input, count });
		return make("li", make("label", input, make("span", called(value)), count));
	}

	function fill(ticked, counts) {
		const values = name === "series" ? SERIES : Object.keys(counts ?? {});
		if (name === "departments") values.sort();
		list.append(...[...new Set([...values, ...ticked])].filter((value) => !boxes.has(value)).map(choice));
		for (const [value, { input, count }] of boxes) {
			input.checked = ticked.includes(value);
			if (counts) count.textContent = inFrench(counts[value] ?? 0);
		}
	}

	return { name, called, box, fill };
}

// What was understood of a need; a place in it can be removed, and put back.
export function chipsOf({ wishes, applied }, query, t) {
	const placed = query.has("city") || query.has("departments");
	const button = (value, text, sign) => make("button", { type: "button", value, "aria-label": text }, french(value), sign);
	return wishes.map(({ label, kind }) => {
		if (applied.includes(label)) return button(label, t("Retirer : {label}", { label }), " ×");
		if (!PLACES.includes(kind)) return make("span", t("demandé : {label}", { label }));
		return !placed && query.has("ignore", label) && button(label, t("Remettre : {label}", { label }), " +");
	}).filter(Boolean).map((chip) => make("li", chip));
}
