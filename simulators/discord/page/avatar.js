/** Faces: initials on a colour made from the name; the bot wears a marquee. */

import { el, svg } from "./dom.js";

const HUES = [262, 18, 190, 330, 140, 45, 215, 290];

function hueOf(name) {
  let sum = 0;
  for (const char of name) sum = (sum * 31 + char.codePointAt(0)) % 9973;
  return HUES[sum % HUES.length];
}

/** A round face for {name, is_bot}; `size` is a class: "tiny", "small" or none. Silent: the name stands beside it. */
export function avatar(person, size = "") {
  const initials = [...person.name][0]?.toUpperCase() ?? "?";
  if (person.is_bot) return el("span", { class: `avatar avatar-bot ${size}`, "aria-hidden": "true" }, bulbs());
  return el("span", { class: `avatar ${size}`, "aria-hidden": "true", css: { "--hue": hueOf(person.name) } }, initials);
}

/** The sign of the house: a ring of bulbs around a play mark. */
export function bulbs() {
  const ring = Array.from({ length: 12 }, (_, i) => {
    const angle = (i * Math.PI) / 6;
    return svg("circle", { cx: (20 + 15 * Math.sin(angle)).toFixed(2), cy: (20 - 15 * Math.cos(angle)).toFixed(2), r: 1.7, class: i % 2 ? "bulb bulb-dim" : "bulb" });
  });
  return svg("svg", { viewBox: "0 0 40 40", focusable: "false" }, ring, svg("path", { d: "M16.5 13.2v13.6L27.5 20z", class: "bulb-play" }));
}
