/** The list of messages: kept in step by message id, without rebuilding what did not change. */

import { el, icon, morph, put } from "./dom.js";
import { dismiss, press } from "./interactions.js";
import { continues, isThinking, plainText, renderMessage } from "./message.js";
import { nameOf } from "./mentions.js";
import { closeSelectUnless, followSelect, selectKey, toggleSelect } from "./select.js";
import { messagesOf, on, state } from "./state.js";
import { dayOf, format, toUnix } from "./time.js";

const NEAR_END_PX = 80;
const $ = (selector) => document.querySelector(selector);
let isPinned = true; // whether the newest message is kept in view
let missed = 0;
let isDrawing = false;
let epoch = 0; // grows with everything that all rows depend on: who looks, names, roles
let version = 0;
const versions = new WeakMap(); // message as received -> number
const redrawn = new Map(); // message id -> how often the page's own state of it has changed
const stamps = new WeakMap(); // row -> what it was drawn from

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
  on("redraw", redraw);
  on("gone", draw);
  on("message", arrived);
  setInterval(followSelect, 200);
}

function redraw(id) {
  redrawn.set(id, (redrawn.get(id) ?? 0) + 1);
  draw();
}

/** Shows the channel from its end, as after a change of channel or member. */
export function showChannel() {
  epoch += 1;
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
  const nodes = new Map([...list.children].map((node) => [node.dataset.key, node]));
  let cursor = list.firstElementChild;
  for (const row of rows()) {
    let node = nodes.get(row.key);
    nodes.delete(row.key);
    if (!node) list.insertBefore((node = row.make()), cursor);
    else if (node === cursor) cursor = cursor.nextElementSibling;
    else list.insertBefore(node, cursor);
    if (stamps.get(node) !== row.stamp) morph(node, row.make());
    stamps.set(node, row.stamp);
  }
  for (const node of nodes.values()) node.remove();
  if (focused && document.activeElement === document.body)
    (focused.isConnected ? focused : $("#text"))?.focus({ preventScroll: true });
  if (isPinned) toEnd();
  else followSelect();
  present();
}

/** The rows of the channel as {key, stamp, make}: a row whose stamp is the drawn one need not be made again. */
function rows() {
  const wanted = [];
  let above = null;
  for (const message of messagesOf(state.channel).values()) {
    const unix = toUnix(message.timestamp);
    if (!above || dayOf(toUnix(above.timestamp)) !== dayOf(unix)) {
      const day = format(unix, "D");
      wanted.push({
        key: `day-${dayOf(unix)}`,
        stamp: day,
        make: () => el("li", { class: "day", "data-key": `day-${dayOf(unix)}` }, el("span", {}, day)),
      });
      above = null;
    }
    const before = above;
    wanted.push({ key: message.id, stamp: stampOf(message, before), make: () => renderMessage(message, before) });
    above = message;
  }
  return wanted;
}

/** Changes whenever the row would look different. */
function stampOf(message, above) {
  if (!versions.has(message)) versions.set(message, ++version);
  return `${epoch}/${versions.get(message)}/${redrawn.get(message.id) ?? 0}/${continues(message, above)}`;
}

function arrived({ message, before }) {
  const isNew = !before;

  const isHere = message.channel_id === state.channel;
  if (isHere) {
    if (isNew && message.author.id === state.me) isPinned = true;
    if (isNew && !isPinned) missed += 1;
    draw();
  }
  const isNews = isNew || (isThinking(before) && !isThinking(message));
  if (isNews && !message.local)
    announce(
      `${nameOf(message.author.id, message.author.username)}${isHere ? "" : ` in ${state.channels.get(message.channel_id)?.name}`}: ${plainText(message).slice(0, 200)}`,
    );
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
  if (!isPinned)
    put(
      button,
      missed ? `${missed} new message${missed > 1 ? "s" : ""}` : "You are looking at older messages",
      el("strong", {}, "Jump to present"),
      icon("down"),
    );
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
