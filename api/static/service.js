// The service that an element asks: where it is, and in whose name.

import { french } from "./words.js";

const DENIED = "Cette page n'est pas autorisée à interroger l'annuaire.";
const UNFIT = "Décrivez votre besoin avec des mots, en 5 000 caractères au plus.";
const REASONS = { 401: DENIED, 403: DENIED, 413: UNFIT, 422: UNFIT, 429: "Trop de demandes à la suite. Réessayez dans {n} s." };

export const UNKNOWN_PLACE = "The place or filter is not known";

// What the visitor is told; its cause is the title of the problem.
export class Refusal extends Error {}

// Gives what asks `v1/PATH`, by POST where there is a body. It raises `Refusal`.
export function service(host, t) {
	return async (path, signal, body) => {
		const [endpoint, tenant, key] = ["endpoint", "tenant", "key"].map((name) => host.getAttribute(name));
		const address = [(endpoint ?? ".").replace(/\/$/, ""), tenant, "v1", path].filter(Boolean).join("/");
		const headers = { ...(body && { "content-type": "application/json" }), ...(key && { authorization: `Bearer ${key}` }) };
		const sent = { method: body ? "POST" : "GET", headers, body: JSON.stringify(body), signal };
		const response = await fetch(address, sent).catch(() => {
			throw new Refusal(t("Le serveur ne répond pas. Vérifiez votre connexion et réessayez."));
		});
		if (response.ok) return response;
		const { status } = response;
		const { title, detail } = await response.json().catch(() => ({}));
		const n = Number(response.headers.get("retry-after")) || 60; // 60 for a date, or where it is hidden
		const reason = REASONS[status] ?? "Le serveur a répondu par une erreur ({status}). Réessayez dans un instant.";
		throw new Refusal(title === UNKNOWN_PLACE ? french(detail) : t(reason, { status, n }), { cause: title });
	};
}
