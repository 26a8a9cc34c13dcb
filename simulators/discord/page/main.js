/** Puts the page together: the side, the head, and who hears of what. */

import { avatar, bulbs } from "./avatar.js";
import { focusComposer, resetComposer, startComposer } from "./composer.js";
import { el, icon, morph, put } from "./dom.js";
import { modalClosed } from "./modal.js";
import { showChannel, startMessages } from "./messages.js";
import { startPanel } from "./panel.js";
import { connect } from "./server.js";
import { on, state, titleOf } from "./state.js";
import { refreshTimes } from "./time.js";

const $ = (selector) => document.querySelector(selector);
const REMEMBERED = "marquee.chat";

function start() {
  put($("#guild-face"), bulbs());
  put($("#open-side"), icon("menu"));
  put($("#open-demo"), icon("sliders"));
  put($("#send"), icon("send", "icon send-icon"));
  Object.assign(state, JSON.parse(sessionStorage.getItem(REMEMBERED) ?? "{}"));
  startMessages();
  startComposer();
  startPanel();
  $("#open-side").addEventListener("click", openSide);
  $("#main").addEventListener("mousedown", () => toggleSide(false));
  $("#side").addEventListener("keydown", (event) => event.key === "Escape" && closeSide());
  $("#channels").addEventListener("click", (event) => openChannel(event.target.closest("[data-channel]")?.dataset.channel));
  $("#people").addEventListener("change", (event) => speakAs(event.target.value));
  $("#modal").addEventListener("close", modalClosed);
  $("#skip").addEventListener("click", (event) => {
    event.preventDefault();
    focusComposer();
  });
  document.addEventListener("speak-as", (event) => speakAs(event.detail));
  document.addEventListener("keydown", typeAnywhere);
  on("state", () => {
    drawSide();
    showChannel();
    if (document.activeElement === document.body) focusComposer();
  });
  on("message", ({ message }) => message.channel_id !== state.channel && drawSide());
  on("link", drawLink);
  setInterval(() => refreshTimes(document), 1000);
  connect();
}

function remember() {
  sessionStorage.setItem(REMEMBERED, JSON.stringify({ me: state.me, channel: state.channel }));
}

function speakAs(id) {
  if (id === state.me) return;
  state.me = id;
  remember();
  resetComposer();
  connect();
}

function openChannel(id) {
  if (!id) return;
  state.channel = id;
  state.unread.delete(id);
  remember();
  toggleSide(false);
  resetComposer();
  drawSide();
  showChannel();
  focusComposer();
}

function drawSide() {
  state.unread.delete(state.channel);
  document.title = `${state.unread.size ? "● " : ""}${titleOf(state.channels.get(state.channel))} · ${state.guild.name}`;
  $("#guild-name").textContent = state.guild.name;
  const channels = [...state.channels.values()].map((channel) => {
    const isHere = channel.id === state.channel;
    const isUnread = state.unread.has(channel.id);
    return el(
      "li",
      { "data-key": channel.id },
      el(
        "button",
        {
          type: "button",
          class: `channel${isUnread ? " unread" : ""}`,
          "data-channel": channel.id,
          "aria-current": isHere ? "page" : null,
        },
        icon(channel.is_direct ? "at" : "hash"),
        channel.name,
        isUnread ? el("span", { class: "unseen" }, " (new messages)") : null,
      ),
    );
  });
  morph($("#channels"), el("ul", { id: "channels" }, channels));
  drawPeople();
  const channel = state.channels.get(state.channel);
  put($("#channel-name"), icon(channel?.is_direct ? "at" : "hash"), channel?.name ?? "…");
  put($("#topic"), channel?.topic ?? "");
  const bots = [...state.members.values()]
    .filter((member) => member.is_bot)
    .map((member) => member.name)
    .join(" and ");
  put(
    $("#welcome"),
    bulbs(),
    el("h2", {}, `Welcome to ${titleOf(channel)}`),
    el("p", {}, "This is where it begins. Type ", el("kbd", {}, "/"), ` to see what ${bots || "the bot"} can do.`),
  );
}

function drawPeople() {
  const people = [...state.members.values()].filter((member) => member.is_playable);
  const rows = people.map((member) => {
    const input = el("input", { type: "radio", name: "me", value: member.id });
    return el(
      "label",
      { class: "person", "data-key": member.id },
      input,
      avatar(member, "small"),
      el("span", { class: "person-words" }, el("span", {}, member.name), el("span", { class: "muted" }, member.about)),
    );
  });
  morph($("#people"), el("div", { id: "people", role: "radiogroup", "aria-labelledby": "cast-title" }, rows));
  for (const input of document.querySelectorAll("input[name=me]")) input.checked = input.value === state.me;
}

function drawLink() {
  $("#link").textContent = state.isLive ? "Simulated server" : "Connection lost, trying again…";
  $("#link").classList.toggle("problem", !state.isLive);
}

function toggleSide(isOpen) {
  document.body.classList.toggle("side-open", isOpen);
  $("#open-side").setAttribute("aria-expanded", String(isOpen));
}

function openSide() {
  toggleSide(true);
  $(".channel[aria-current]")?.focus();
}

function closeSide() {
  const wasOpen = document.body.classList.contains("side-open");
  toggleSide(false);
  if (wasOpen) $("#open-side").focus();
}

/** Typing where there is nothing to type into goes to the message box. */
function typeAnywhere(event) {
  const isCharacter = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  const isFree = !event.target.closest("input, textarea, select, button, a, dialog, [role=button]");
  if (isCharacter && isFree && !event.defaultPrevented) focusComposer();
}

start();
