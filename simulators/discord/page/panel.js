/** The panel beside the chat: what to try, the clock of the simulation, and how the daemon is. */

import { compose } from "./composer.js";
import { el, icon, put } from "./dom.js";
import { post } from "./server.js";
import { on, state } from "./state.js";
import { format, now, speed } from "./time.js";

const WIDE = "(min-width: 1180px)"; // room for the panel beside the chat
const SPEEDS = [1, 10, 60];
const JUMPS = [
  ["1 min", 60],
  ["10 min", 600],
  ["1 hour", 3600],
];
const HEALTH_EVERY_MS = 5000;
const IDEAS = [
  [
    "Play something",
    "Type three letters of a title, pick one, pick a player. A card appears and follows the player.",
    el("code", {}, "/play"),
    () => compose("play"),
  ],
  [
    "Let time run",
    "An hour takes a minute at 60×: watch the bar of the card, then ask what is on.",
    el("code", {}, "/now"),
    () => compose("now"),
  ],
  [
    "Be somebody else",
    "Olivia owns the server, Bob has no say: as Bob, press Pause on a card.",
    "Speak as Bob",
    () => speakAs("Bob"),
  ],
  [
    "Look behind the scenes",
    "As Olivia: how everything does, and what runs when.",
    el("code", {}, "/ops health"),
    () => compose("ops health"),
  ],
];
const $ = (selector) => document.querySelector(selector);

/** Builds the panel; call once. */
export function startPanel() {
  put($("#demo"), header(), ideas(), time(), health());
  $("#open-demo").addEventListener("click", () => toggle($("#demo").hidden));
  $("#demo").addEventListener("keydown", (event) => event.key === "Escape" && toggle(false));
  on("clock", showTime);
  on("state", () => {
    $("#demo-time").hidden = false;
    showTime();
    checkHealth();
  });
  setInterval(showTime, 1000);
  setInterval(() => !$("#demo").hidden && checkHealth(), HEALTH_EVERY_MS);
  toggle(window.matchMedia(WIDE).matches, false);
}

function toggle(isOpen, isFocused = true) {
  $("#demo").hidden = !isOpen;
  $("#open-demo").setAttribute("aria-expanded", String(isOpen));
  if (isFocused) (isOpen ? $("#close-demo") : $("#open-demo")).focus();
  if (isOpen && isFocused) checkHealth();
}

function header() {
  const close = el(
    "button",
    { type: "button", id: "close-demo", class: "tool", "aria-label": "Close the demo panel", on: { click: () => toggle(false) } },
    icon("close"),
  );
  return el("header", {}, el("h2", {}, "Try it"), close);
}

function ideas() {
  const items = IDEAS.map(([title, text, label, act]) =>
    el(
      "li",
      {},
      el("h3", {}, title),
      el("p", {}, text),
      el("button", { type: "button", class: "button button-secondary idea", on: { click: () => tryIt(act) } }, label),
    ),
  );
  return el("ol", { class: "ideas" }, items);
}

function tryIt(act) {
  if (!window.matchMedia(WIDE).matches) toggle(false, false);
  act();
}

function speakAs(name) {
  const member = [...state.members.values()].find((each) => each.name === name);
  if (member) document.dispatchEvent(new CustomEvent("speak-as", { detail: member.id }));
}

function time() {
  const speeds = SPEEDS.map((each) =>
    el(
      "label",
      {},
      el("input", { type: "radio", name: "speed", value: each, on: { change: () => setClock({ speed: each }) } }),
      el("span", {}, `${each}×`),
    ),
  );
  const jumps = JUMPS.map(([label, seconds]) =>
    el(
      "button",
      { type: "button", class: "button button-secondary", on: { click: () => setClock({ jump_s: seconds }) } },
      `+ ${label}`,
    ),
  );
  return el(
    "section",
    { id: "demo-time", hidden: true },
    el("h2", {}, "Simulated time"),
    el("p", { id: "demo-now", class: "clock" }),
    el("fieldset", { class: "speeds" }, el("legend", {}, "Speed"), speeds),
    el("div", { class: "jumps", role: "group", "aria-label": "Jump ahead" }, jumps),
    el("p", { id: "demo-problem", class: "problem", role: "alert", hidden: true }),
  );
}

async function setClock(change) {
  const problem = $("#demo-problem");
  problem.hidden = true;
  await post("api/clock", change).catch((error) => (put(problem, error.message).hidden = false));
}

function showTime() {
  if ($("#demo").hidden) return;
  put($("#demo-now"), format(now(), "T"), el("span", { class: "muted" }, ` ${format(now(), "D")}`));
  for (const input of document.querySelectorAll("input[name=speed]")) input.checked = Number(input.value) === speed();
}

function health() {
  return el(
    "section",
    { id: "demo-daemon", hidden: true },
    el("h2", {}, "Daemon"),
    el("p", { id: "demo-health", class: "health" }),
  );
}

async function checkHealth() {
  const { health_url: url } = state.demo;
  $("#demo-daemon").hidden = !url;
  if (!url) return;
  const status = await fetch("api/health")
    .then((answer) => answer.json())
    .then(
      (answer) => answer.status,
      () => "unknown",
    );
  const words = { pass: "All is well", warn: "Working, with a warning", fail: "In trouble", away: "Not answering" };
  const anchor = el("a", { href: url, target: "_blank", rel: "noopener" }, "health page");
  put(
    $("#demo-health"),
    el("span", { class: `lamp lamp-${status}`, "aria-hidden": "true" }),
    words[status] ?? "Unknown",
    " · ",
    anchor,
  );
}
