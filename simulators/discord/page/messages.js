/** The list of messages: kept in step by message id, without rebuilding what did not change. */

import { el, icon, morph, put } from "./dom.js";
import { dismiss, press } from "./interactions.js";
import { plainText, renderMessage } from "./message.js";
import { nameOf } from "./mentions.js";
import { closeSelectUnless, followSelect, selectKey, toggleSelect } from "./select.js";
import { messagesOf, on, state } from "./state.js";
import { dayOf, format, toUnix } from "./time.js";

const NEAR_END_PX = 80;
const $ = (selector) => document.querySelector(selector);
let isPinned = true; // whether the newest message is kept in view
let missed = 0;
let isDrawing = false;

/** Wires the list; call once. */
export function startMessages() {
  const list = $("#messages");
  const scroller = $("#scroller");
  list.addEventListener("click", act);
  list.addEventListener("keydown", key);
  scroller.addEventListener("keydown", (event) => event.target === scroller && step(event));
  scroller.addEventListener("scroll", scrolled, { passive: true });
  list.addEventListener("load", () => isPinned && toEnd(), true);
  new ResizeObserver(() => isPinned && toEnd()).observe(scroller);
  $("#present").addEventListener("click", jumpToPresent);
  document.addEventListener("mousedown", (event) => closeSelectUnless(event.target));
  document.addEventListener("focus-last-message", () => list.lastElementChild?.focus());
  on("redraw", draw);
  on("gone", draw);
  on("message", arrived);
  setInterval(followSelect, 200);
}

/** Shows the channel from its end, as after a change of channel or member. */
export function showChannel() {
  isPinned = true;
  missed = 0;
  draw();
}

/** Brings the list in step with the state, at most once a frame. */
export function draw() {
  if (isDrawing) return;
  isDrawing = true;
  queueMicrotask(() => {
    isDrawing = false;
    drawNow();
  });
}

function drawNow() {
  const list = $("#messages");
  const focused = document.activeElement?.closest?.("#messages .message");
  const wanted = el("ol", { id: "messages", "aria-label": "Messages" }, rows());
  morph(list, wanted);
  if (focused && document.activeElement === document.body) (focused.isConnected ? focused : $("#text"))?.focus({ preventScroll: true });
  if (isPinned) toEnd();
  else followSelect();
  present();
}

function rows() {
  const nodes = [];
  let above = null;
  for (const message of messagesOf(state.channel).values()) {
    const unix = toUnix(message.timestamp);
    if (!above || dayOf(toUnix(above.timestamp)) !== dayOf(unix)) {
      nodes.push(el("li", { class: "day", role: "separator", "data-key": `day-${dayOf(unix)}` }, el("span", {}, format(unix, "D"))));
      above = null;
    }
    nodes.push(renderMessage(message, above));
    above = message;
  }
  return nodes;
}

function arrived({ message, isNew }) {
  const isHere = message.channel_id === state.channel;
  if (isHere) {
    if (isNew && message.author.id === state.me) isPinned = true;
    if (isNew && !isPinned) missed += 1;
    draw();
  }
  if (isNew && !message.local) announce(`${nameOf(message.author.id, message.author.username)}${isHere ? "" : ` in ${state.channels.get(message.channel_id)?.name}`}: ${plainText(message).slice(0, 200)}`);
}

function announce(text) {
  put($("#live"), text);
}

function toEnd() {
  const scroller = $("#scroller");
  scroller.scrollTop = scroller.scrollHeight;
}

function scrolled() {
  const scroller = $("#scroller");
  isPinned = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
  if (isPinned) missed = 0;
  present();
  followSelect();
}

function present() {
  const button = $("#present");
  button.hidden = isPinned;
  if (!isPinned) put(button, missed ? `${missed} new message${missed > 1 ? "s" : ""}` : "You are looking at older messages", el("strong", {}, "Jump to present"), icon("down"));
}

function jumpToPresent() {
  isPinned = true;
  missed = 0;
  toEnd();
  present();
  $("#text").focus();
}

const messageAt = (node) => messagesOf(state.channel).get(node.closest("[data-id]")?.dataset.id);

function act(event) {
  const control = event.target.closest("[data-action]");
  const message = control && messageAt(control);
  if (!message || control.disabled) return;
  const { action, custom } = control.dataset;
  if (action === "press") press(message, custom);
  else if (action === "open-select") toggleSelect(control, message);
  else if (action === "reveal") control.setAttribute("data-revealed", "");
  else if (action === "dismiss") dismissed(message);
}

async function dismissed(message) {
  $("#text").focus();
  await dismiss(message).catch((error) => announce(error.message));
}

function key(event) {
  const control = event.target.closest("[data-action]");
  if (control?.dataset.action === "open-select") {
    if (selectKey(event, control, messageAt(control))) event.preventDefault();
  } else if (control?.dataset.action === "reveal" && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    control.setAttribute("data-revealed", "");
  } else step(event);
}

/** Up and down go from message to message, Escape back to the message box. */
function step(event) {
  const isUp = event.key === "ArrowUp";
  if (event.key === "Escape") $("#text").focus();
  else if (isUp || event.key === "ArrowDown") {
    const all = [...document.querySelectorAll("#messages .message")];
    const index = all.indexOf(event.target.closest(".message"));
    const next = index < 0 ? all.at(isUp ? -1 : 0) : all[index + (isUp ? -1 : 1)];
    if (next) next.focus();
    else if (!isUp) $("#text").focus();
  } else return;
  event.preventDefault();
}
