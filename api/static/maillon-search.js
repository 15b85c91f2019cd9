// <maillon-search>: the search of a maillon service in any page, as docs/embedding.md describes it.

import { card } from "./card.js";
import { combobox } from "./complete.js";
import { placeOf } from "./departments.js";
import { bodyOf, chipsOf, linkTo, panel, queryOf } from "./refine.js";
import { Refusal, service, UNKNOWN_PLACE } from "./service.js";
import { sheet } from "./style.js";
import { make, wording } from "./words.js";

const PAGE = 10;
const MOST = 100;

function build(host) {
	const json = (name) => JSON.parse(host.getAttribute(name) || "{}");
	const linked = () => queryOf(new URLSearchParams(host.hasAttribute("link") ? location.search : ""));
	const t = wording(json("texts"));
	const ask = service(host, t);
	const { field, close, nodes } = combobox(t, ask);
	const refine = panel(t, changed);
	const chips = make("ul.chips", { onclick: toggle });
	const form = make("form", { role: "search", onsubmit }, nodes, chips, refine.node);
	const status = make("p", { role: "status" });
	const evokes = make("div");
	const list = make("ol");
	const more = make("button.main", { onclick: goOn }, t("Voir plus de fournisseurs"));
	const root = host.attachShadow({ mode: "open" });
	root.adoptedStyleSheets = [sheet];
	root.append(form, status, evokes, list, more);

	let running = new AbortController();
	let waiting;
	let ignored = []; // labels of places that the visitor removed
	let asked; // the query last asked, as text
	let shown = {}; // the query answered on the page, and its facets

	function fixed() {
		const department = host.getAttribute("department");
		return { ...(department && { departments: [department] }), ...json("filters") };
	}

	function now() {
		const given = new URLSearchParams(new FormData(form));
		for (const label of ignored) given.append("ignore", label);
		return queryOf(given);
	}

	// Asks what stands now. Enter changes a field and submits: one search is enough.
	function changed() {
		clearTimeout(waiting);
		waiting = setTimeout(start, 0, now());
	}

	function restore() {
		const query = linked();
		field.value = query.get("q");
		ignored = query.getAll("ignore");
		refine.put(query);
		if (query.has("q")) start(query);
		else clear("");
	}

	function onsubmit(event) {
		event.preventDefault();
		start();
	}

	function toggle({ target: { value } }) {
		if (!value) return;
		ignored = ignored.includes(value) ? ignored.filter((label) => label !== value) : [...ignored, value];
		start();
	}

	async function goOn() {
		const next = list.children.length;
		await start(shown.query, next + PAGE);
		(list.children[next] ?? more).focus();
	}

	async function start(query = now(), k = PAGE) {
		clearTimeout(waiting);
		close();
		if (!query.has("q")) return clear(t("Décrivez votre besoin en quelques mots."), "error");
		if (host.hasAttribute("link") && `${query}` !== `${linked()}`) history.pushState(null, "", linkTo(query));
		asked = `${query}`;
		running.abort();
		const { signal } = (running = new AbortController());
		const body = { ...bodyOf(query, fixed()), k };
		fire("search", body);
		say(t("Recherche en cours…"));
		try {
			const answer = await (await ask("search", signal, body)).json();
			show(answer, query, k);
			fire("results", { need: body.need, ...answer });
		} catch (error) {
			if (!signal.aborted) refuse(error, query);
		}
	}

	function clear(text, kind) {
		running.abort();
		forget();
		refine.node.hidden = true;
		say(text, kind);
	}

	function forget() {
		shown = {};
		list.replaceChildren();
		evokes.replaceChildren();
		chips.hidden = more.hidden = true;
	}

	function say(text, kind = "") {
		status.textContent = text;
		status.className = kind;
	}

	function refuse(error, query) {
		const { facets } = shown;
		if (asked !== `${shown.query}`) forget(); // the answer to another need would mislead
		refine.show(query, fixed(), facets);
		if (error.cause === UNKNOWN_PLACE && query.has("city")) refine.complain(error.message);
		say(error instanceof Refusal ? error.message : t("La réponse du serveur n'a pas pu être lue. Réessayez."), "error");
	}

	function show(answer, query, k) {
		const { suggestions, wishes, applied, facets, gap } = answer;
		shown = { query, facets };
		const around = wishes.find(({ kind, label }) => kind === "near" && applied.includes(label))?.value;
		const place = query.get("city") ?? around;
		const held = chips.querySelector(":focus")?.value;
		chips.replaceChildren(...chipsOf(answer, query, t));
		chips.hidden = !chips.children.length;
		if (held) (chips.querySelector(`[value="${CSS.escape(held)}"]`) ?? field).focus();
		refine.show(query, fixed(), facets, around);
		evokes.replaceChildren(evoked(answer, query.get("q"), t));
		if (k === PAGE) list.replaceChildren();
		const added = suggestions.slice(list.children.length);
		list.append(...added.map((one) => card(one, place && placeOf(place), t, select, judge)));
		more.hidden = suggestions.length < k || k >= MOST;
		say(outcome(answer, place, t), gap || !suggestions.length ? "gap" : "");
	}

	function fire(name, detail) {
		return host.dispatchEvent(new CustomEvent(`maillon-${name}`, { detail, bubbles: true, composed: true, cancelable: true }));
	}

	function select({ rank, supplier }) {
		return fire("select", { need: shown.query.get("q"), rank, supplier });
	}

	async function judge({ rank, supplier }, relevant, reason) {
		const judgement = { need: shown.query.get("q"), supplier: supplier.id, relevant, reason, rank };
		await ask("feedback", null, judgement);
		fire("feedback", judgement);
	}

	restore();
	return { field, restore };
}

function outcome({ suggestions: { length: n }, gap, applied }, place, t) {
	if (!n) return t("Aucun fournisseur ne remplit tous ces critères. Retirez-en un.");
	if (gap) return t("Aucun fournisseur ne correspond bien à ce besoin. Voici les plus proches, à vérifier.");
	const where = applied.map((label) => `, ${label}`).join("");
	const order = place ? t(", par correspondance et proximité") : "";
	return t(n > 1 ? "{n} premiers fournisseurs{where}{order}." : "1 fournisseur{where}.", { n, where, order });
}

// The need as it was read, where that brought in another word, and the trades it evokes.
function evoked({ read_as, trades }, need, t) {
	const typed = need.normalize("NFC").replace(/[’ʼ]/g, "'");
	const mended = read_as.split(" ").some((word) => !typed.includes(word));
	return make("p", mended && t("Lu comme : « {read_as} ».", { read_as }),
		trades.length && [" ", t("Votre besoin évoque :"), " ", make("strong", trades.join(", ")), "."]);
}

customElements.define("maillon-search", class extends HTMLElement {
	#parts;

	connectedCallback() {
		this.#parts ??= build(this);
		addEventListener("popstate", this.#parts.restore);
	}

	disconnectedCallback() {
		removeEventListener("popstate", this.#parts.restore);
	}

	focus() {
		this.#parts.field.focus();
	}
});
