/** The simulated time, and how times are written. Every time on the page is the simulator's, not the computer's. */

import { el } from "./dom.js";

const clock = { now: Date.now() / 1000, speed: 1, version: 0, at: performance.now() };
const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};
const UNITS = [
  ["year", 31_556_952],
  ["month", 2_629_746],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** Takes over what the server says of its clock: `now` Unix seconds, `speed` simulated seconds a second, `version`. */
export function setClock({ now, speed, version }) {
  Object.assign(clock, { now, speed, version, at: performance.now() });
}

/** Simulated Unix seconds. */
export function now() {
  return clock.now + ((performance.now() - clock.at) / 1000) * clock.speed;
}

export const speed = () => clock.speed;

/** Unix seconds as Discord's style letter says: t T d D f F, R for "3 minutes ago". */
export function format(unix, style = "f") {
  if (style === "R") return formatRelative(unix - now());
  const date = new Date(unix * 1000);
  return Number.isNaN(date.getTime())
    ? "an unknown time"
    : new Intl.DateTimeFormat("en-GB", STYLES[style] ?? STYLES.f).format(date);
}

function formatRelative(seconds) {
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
  return relative.format(Math.trunc(seconds / size), unit);
}

/** A `<time>` element; relative ones go on being right (see `refreshTimes`). */
export function timeNode(unix, style, className) {
  const date = new Date(unix * 1000);
  const iso = Number.isNaN(date.getTime()) ? null : date.toISOString();
  return el(
    "time",
    { class: className, datetime: iso, title: format(unix, "F"), "data-unix": unix, "data-style": style },
    format(unix, style),
  );
}

/** Rewrites the relative times below `root`; called every second. */
export function refreshTimes(root) {
  for (const node of root.querySelectorAll('time[data-style="R"]')) {
    const text = format(Number(node.dataset.unix), "R");
    if (node.textContent !== text) node.textContent = text;
  }
}

/** Unix seconds of an ISO time stamp. */
export const toUnix = (iso) => Date.parse(iso) / 1000;

/** A day as a key, to see where one ends and the next begins. */
export const dayOf = (unix) => new Date(unix * 1000).toDateString();
