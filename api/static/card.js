// One suggestion: who, where, how well it fits and why; what the visitor thinks.

import { seriesName } from "./refine.js";
import { french, inFrench, make } from "./words.js";

// `near` is the place asked for, if any; `select` says whether to go on.
export function card(one, near, t, select, judge) {
	const { supplier, missing, ruled_out } = one;
	const why = make("details", make("summary", t("Pourquoi ce résultat ?")), reasons(one, t));
	const onclick = () => select(one) && (why.open = true);
	const facts = [...supplier.certifications, ...supplier.series.map((size) => t(seriesName(size))), ...supplier.tags];
	return make("li", { tabIndex: -1 },
		make("h2", make("button", { onclick }, supplier.name)), fit(one, t),
		make("p", joined(" · ", placeOf(supplier, t), near && farness(one, near, t)), "\u2002", site(one, select)),
		make("p.capability", marked(one)),
		facts.length && make("ul.facts", items(facts)),
		line(t("Non indiqué sur la fiche :"), missing.join(", ")),
		line(t("La fiche cite ce que vous excluez :"), ruled_out.join(", ")),
		why, opinion(one, t, judge));
}

const items = (texts) => texts.map((text) => make("li", french(text)));
const line = (label, text) => text && make("p", label, " ", text);
const joined = (sign, ...texts) => texts.filter(Boolean).join(sign);
const percent = (part) => french(`${Math.round(part * 100)} %`);

function fit({ confidence, score }, t) {
	if (confidence === null) return make("span.fit", t("correspondance : {n}", { n: percent(score) }));
	const words = ["peu probable", "possible", "probable", "très probable"];
	const level = [0.12, 0.3, 0.6].filter((least) => confidence >= least).length;
	return make(`span.fit.fit${level}`, t(words[level]));
}

function reasons({ supplier, capability, confidence, highlights, trades, also }, t) {
	const words = highlights.map(({ start, end }) => Array.from(capability).slice(start, end).join(""));
	const others = [...new Set([...also, ...supplier.capabilities])].filter((text) => text !== capability);
	return [
		line(t("Mots qui ont pesé :"), words.join(", ")),
		line(t("Métiers en commun :"), trades.join(", ")),
		line(t("Confiance :"), confidence !== null && percent(confidence)),
		others.length && make("div", t("Autres capacités :"), make("ul", items(others))),
	];
}

function placeOf({ postcode, city, department }, t) {
	if (city) return joined(" ", postcode, city);
	return department && t("Département {department}", { department });
}

// A supplier may stand at the middle of his département, hence « environ ».
function farness({ distance_km: km, nearness }, near, t) {
	if (km === null) return t("distance inconnue");
	if (nearness === "même département" && !near.city) return nearness;
	return joined(", ", km < 1 ? t("à moins de 1 km") : t("à environ {n} km", { n: inFrench(Math.round(km)) }), nearness);
}

// Highlights count code points, as the API says; JavaScript strings count UTF-16 units.
function marked({ capability, highlights }) {
	const points = Array.from(french(capability));
	let done = 0;
	const pieces = highlights.flatMap(({ start, end, weight }) => {
		const before = points.slice(done, start).join("");
		done = end;
		return [before, make(weight > 0.66 ? "mark.strong" : "mark", points.slice(start, end).join(""))];
	});
	return [...pieces, points.slice(done).join("")];
}

function site(one, select) {
	const { url } = one.supplier;
	if (!/^https?:/i.test(url) || !URL.canParse(url)) return "";
	const onclick = (event) => select(one) || event.preventDefault();
	return make("a", { href: url, rel: "noopener noreferrer nofollow", target: "_blank", onclick }, new URL(url).hostname);
}

// Nothing leaves before « Envoyer »: one message, with its reason or without.
function opinion(one, t, judge) {
	let relevant;
	const reason = make("input", { maxLength: 500 });
	const error = make("p.error", { role: "alert" });
	const send = make("button.main", t("Envoyer"));
	const form = make("form", { hidden: true, onsubmit }, make("label", t("Pour quelle raison ? (facultatif)"), reason), send, error);
	const verdicts = ["Pertinent", "Pas pertinent"].map((verdict) => make("button", { ariaPressed: false, onclick }, t(verdict)));
	const label = t("Votre avis sur {name}", one.supplier);
	const box = make("div.opinion", { role: "group", "aria-label": label }, verdicts, form);

	function onclick({ target }) {
		relevant = target === verdicts[0];
		for (const verdict of verdicts) verdict.ariaPressed = verdict === target;
		form.hidden = false;
		reason.focus();
	}

	async function onsubmit(event) {
		event.preventDefault();
		send.disabled = true;
		try {
			await judge(one, relevant, reason.value.trim() || null);
			const thanks = make("p", { tabIndex: -1 }, t("Merci, votre avis est enregistré."));
			box.replaceChildren(thanks);
			thanks.focus();
		} catch ({ message }) {
			error.textContent = message;
			send.disabled = false;
		}
	}

	return box;
}
