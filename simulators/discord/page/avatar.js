/** Faces: an initial on a colour of one's own; the bot wears a marquee. */

import { el, svg } from "./dom.js";
import { state } from "./state.js";

const HUES = [262, 340, 196, 24, 150, 226, 300, 96];

/** Colours go round in the order people joined, so that neighbours differ. */
function hueOf(person) {
  const place = [...state.members.keys()].indexOf(person.id);
  return HUES[(place + HUES.length) % HUES.length];
}

/** A round face for {id, name, is_bot}; `size` is a class: "tiny", "small" or none. Silent: the name stands beside it. */
export function avatar(person, size = "") {
  const initials = [...person.name][0]?.toUpperCase() ?? "?";
  if (person.is_bot) return el("span", { class: `avatar avatar-bot ${size}`, "aria-hidden": "true" }, bulbs());
  return el("span", { class: `avatar ${size}`, "aria-hidden": "true", css: { "--hue": hueOf(person) } }, initials);
}

/** The sign of the house: a ring of bulbs around a play mark. */
export function bulbs() {
  const ring = Array.from({ length: 12 }, (_, i) => {
    const angle = (i * Math.PI) / 6;
    return svg("circle", {
      cx: (20 + 15 * Math.sin(angle)).toFixed(2),
      cy: (20 - 15 * Math.cos(angle)).toFixed(2),
      r: 1.7,
      class: i % 2 ? "bulb bulb-dim" : "bulb",
    });
  });
  return svg(
    "svg",
    { viewBox: "0 0 40 40", focusable: "false" },
    ring,
    svg("path", { d: "M16.5 13.2v13.6L27.5 20z", class: "bulb-play" }),
  );
}
