// The field of the need and what completes it: WAI-ARIA's editable combobox. What fails here is not
// said.

import { make } from "./words.js";

const LONGEST = 60; // characters; what is longer is no term

export function combobox(t, ask) {
	let timer;
	let running = new AbortController();
	const field = make("input", { id: "need", name: "q", maxLength: 5000, autocomplete: "off", enterKeyHint: "search", spellcheck: true,
		role: "combobox", "aria-autocomplete": "list", "aria-controls": "completions", "aria-describedby": "hint",
		oninput, onkeydown, onblur: close });
	const list = make("ul", { id: "completions", role: "listbox", "aria-label": t("Propositions"),
		onmousedown: (event) => event.preventDefault() }); // the field keeps the focus
	const said = make("p.unseen", { "aria-live": "polite" });
	const hint = t("L'objet, sa fonction, la matière, les quantités… puis Entrée pour chercher.");
	const nodes = [make("label", { htmlFor: "need" }, t("Décrivez votre besoin avec vos mots")),
		make("div.field", field, list, make("button.main", t("Chercher"))), make("p", { id: "hint" }, hint), said];

	function show(...options) {
		list.replaceChildren(...options);
		list.hidden = !options.length;
		field.ariaExpanded = !list.hidden;
		said.textContent = list.hidden ? "" : t("Propositions : {n}", { n: options.length });
		point(null);
	}

	function close() {
		clearTimeout(timer);
		running.abort();
		show();
	}

	async function offer() {
		const q = field.value.trim();
		if (q.length < 2 || q.length > LONGEST) return close();
		running.abort();
		const { signal } = (running = new AbortController());
		try {
			const { completions } = await (await ask(`complete?${new URLSearchParams({ q, k: 8 })}`, signal)).json();
			if (!signal.aborted) show(...completions.map(option));
		} catch {
			if (!signal.aborted) close();
		}
	}

	function option({ text, kind }, place) {
		const onclick = () => {
			field.value = text;
			close();
		};
		const source = make("small", t(kind === "trade" ? "métier" : "capacité"));
		return make("li", { id: `option-${place}`, role: "option", onclick }, make("span", text), " ", source);
	}

	const chosen = () => list.querySelector("[aria-selected=true]");

	function point(to) {
		for (const one of list.children) one.ariaSelected = one === to;
		field.setAttribute("aria-activedescendant", to?.id ?? "");
	}

	// Past either end stands what was typed.
	function move(step) {
		const stops = [null, ...list.children];
		point(stops.at((stops.indexOf(chosen()) + step) % stops.length));
	}

	function oninput() {
		point(null);
		clearTimeout(timer);
		timer = setTimeout(offer, 120);
	}

	function onkeydown(event) {
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (event.isComposing) return;
		if (step) list.hidden ? offer() : move(step);
		else if (event.key === "Enter" && chosen()) chosen().click();
		else if (event.key === "Escape" && !list.hidden) close();
		else return;
		event.preventDefault();
	}

	close();
	return { field, close, nodes };
}
