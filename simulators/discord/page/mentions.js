/** Names of people, channels, roles and commands, and the pills that stand for them in a text. */

import { el } from "./dom.js";
import { state } from "./state.js";

/** The name an id goes by in this guild; `fallback` for a stranger. */
export function nameOf(userId, fallback = "someone") {
  const member = state.members.get(userId);
  return member ? member.name : fallback;
}

/** A pill for `<@id>`, `<#id>`, `<@&id>`, `</name:id>`; custom emoji by their name. `sigil` is what stands before the id. */
export function mention(sigil, id) {
  if (sigil.startsWith("/")) return el("span", { class: "mention" }, sigil.replace(/:$/, ""));
  if (sigil.endsWith(":")) return el("span", { class: "emoji-name" }, sigil.replace(/^a/, ""));
  if (sigil === "#") return el("span", { class: "mention" }, `#${state.channels.get(id)?.name ?? "unknown-channel"}`);
  if (sigil === "@&") return el("span", { class: "mention" }, `@${state.roles.get(id)?.name ?? "unknown-role"}`);
  const isMe = id === state.me;
  return el("span", { class: isMe ? "mention mention-me" : "mention" }, `@${nameOf(id, "unknown-user")}`);
}
