// What every part of the page uses: nodes, and French typography.

export const SERIES = {
  prototype: "prototypes", petite: "petites séries", moyenne: "moyennes séries", grande: "grandes séries",
};

// Every text from outside enters the page here, as text nodes, never as HTML.
export function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// No line breaks before « : », inside quotes, or between a number and its unit.
export function french(text) {
  return text
    .replace(/ ([:»])/g, "\u00a0$1")
    .replace(/ ([;?!])/g, "\u202f$1")
    .replace(/« /g, "«\u00a0")
    .replace(/(\d) (?=km\b|\d{3}(?!\d))/g, "$1\u00a0");
}

export function inFrench(number) {
  return number.toLocaleString("fr-FR");
}
