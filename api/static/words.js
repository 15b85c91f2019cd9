// What every part uses: sentences, that a page may replace, French typography, and nodes.

// Gives what says a sentence, or what the page says in its place, its {values} filled in.
export function wording(texts) {
	return (text, values) => french((texts[text] ?? text).replace(/\{(\w+)\}/g, (hole, name) => values?.[name] ?? hole));
}

// No line breaks before « : », inside quotes, or between a number and its unit; as many characters.
export function french(text) {
	return text.replace(/ (?=[:;?!»%])|(?<=«) |(?<=\d) (?=km\b|\d{3}(?!\d))/g, "\u00a0");
}

export const inFrench = (number) => number.toLocaleString("fr");

// "tag.class", properties or attributes, children. Text from outside enters the page here alone, as
// text nodes, never as HTML.
export function make(tag, ...parts) {
	const [name, ...classes] = tag.split(".");
	const node = document.createElement(name);
	node.classList.add(...classes);
	for (const part of parts.flat()) {
		if (part?.constructor !== Object) node.append(part || "");
		else for (const [key, value] of Object.entries(part)) key in node ? (node[key] = value) : node.setAttribute(key, value);
	}
	return node;
}
