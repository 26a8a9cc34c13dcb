/** The box one writes in: plain text, the list of commands after a slash, and the fields of a chosen command. */

import { avatar } from "./avatar.js";
import { allCommands, matching, typedCommand } from "./commands.js";
import { el, put } from "./dom.js";
import { CommandFields } from "./fields.js";
import { Listbox } from "./listbox.js";
import { post } from "./server.js";
import { guildChannels, on, state, titleOf } from "./state.js";

const $ = (selector) => document.querySelector(selector);
const LIST_MAX = 60;
let fields = null; // the command being filled in
let listbox = null;
let whoList = null;

/** Wires the composer; call once. */
export function startComposer() {
  listbox = new Listbox({ label: "Commands", onPick: (item) => takeCommand(item.command) });
  whoList = new Listbox({ label: "Speak as", onPick: (item) => speakAs(item.id) });
  $("#popups").append(listbox.node, whoList.node);
  const text = $("#text");
  text.addEventListener("input", typed);
  text.addEventListener("keydown", key);
  text.addEventListener("blur", () => listbox.hide());
  $("#composer").addEventListener("submit", (event) => {
    event.preventDefault();
    fields ? fields.send() : sendText();
  });
  $("#who").addEventListener("click", () => (whoList.isOpen ? whoList.hide() : offerWho()));
  $("#who").addEventListener("keydown", whoKey);
  $("#who").addEventListener("blur", () => whoList.hide());
  on("state", refresh);
  on("commands", () => !fields && document.activeElement === text && typed());
}

/** Shows who speaks and where; after a change of either. */
export function refresh() {
  const me = state.members.get(state.me);
  const channel = state.channels.get(state.channel);
  const text = $("#text");
  const name = channel ? titleOf(channel) : "…";
  const maySpeak = channel?.can_speak ?? false;
  text.disabled = !maySpeak;
  text.placeholder = maySpeak
    ? `Message ${name} or type /`
    : channel
      ? `${me?.name ?? "You"} may not write in ${name}`
      : "Connecting…";
  text.setAttribute("aria-label", `Message ${name}`);
  if (!me) return;
  put($("#who"), avatar(me, "small"));
  $("#who").setAttribute("aria-label", `Speaking as ${me.name}. Change`);
  $("#who").title = `Speaking as ${me.name}`;
}

/** Another member or channel: what was being filled in is given up. */
export function resetComposer() {
  if (fields) leaveCommand("", false);
  refresh();
}

/** Puts the command called `name` into the composer, ready to be filled in. */
export function compose(name) {
  const command = allCommands().find((each) => each.path.join(" ") === name);
  if (command) return takeCommand(command);
  if (fields) leaveCommand(`/${name}`);
  $("#text").value = `/${name}`;
  $("#text").focus();
  typed();
}

/** Focuses what one writes in. */
export function focusComposer() {
  fields ? fields.start() : $("#text").focus();
}

function typed() {
  const text = $("#text");
  grow();
  const { value } = text;
  const found = typedCommand(value);
  if (found) return takeCommand(found.command, found.rest);
  if (!/^\/[^\n]{0,80}$/.test(value)) return closeList();
  const commands = matching(value.slice(1)).slice(0, LIST_MAX);
  const items = commands.map((command) => ({
    command,
    label: `/${command.path.join(" ")}`,
    aside: command.options.map((option) => option.name).join(" "),
    description: command.description,
    before: avatar(state.members.get(command.bot) ?? { name: "?", is_bot: true }, "small"),
  }));
  const note = state.commands.length
    ? "No command matches. Backspace to go on, Enter sends it as text."
    : "No bot has registered commands yet.";
  listbox.show(text, items, { title: items.length ? "Commands" : "", note });
  hint([]);
}

function closeList() {
  listbox.hide();
  hint([]);
}

function grow() {
  const text = $("#text");
  text.style.setProperty("height", "auto");
  text.style.setProperty("height", `${Math.min(text.scrollHeight, 180)}px`);
}

function key(event) {
  if (event.isComposing) return;
  const { active } = listbox;
  if (event.key === "ArrowDown" && listbox.move(1)) event.preventDefault();
  else if (event.key === "ArrowUp" && listbox.move(-1)) event.preventDefault();
  else if (event.key === "ArrowUp" && !$("#text").value) {
    event.preventDefault();
    document.dispatchEvent(new CustomEvent("focus-last-message"));
  } else if (event.key === "Escape" && listbox.isOpen) {
    event.preventDefault();
    closeList();
  } else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && active) {
    event.preventDefault();
    takeCommand(active.command);
  } else if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    sendText();
  }
}

function takeCommand(command, rest = "") {
  fields?.destroy();
  closeList();
  const text = $("#text");
  text.value = "";
  text.hidden = true;
  fields = new CommandFields(command, { leave: leaveCommand, hint, popupPlace: $("#popups") });
  text.after(fields.node);
  hint([el("strong", {}, `/${command.path.join(" ")}`), " ", command.description]);
  fields.start(rest);
}

function leaveCommand(text, isFocused = true) {
  fields?.destroy();
  fields = null;
  hint([]);
  const box = $("#text");
  box.hidden = false;
  box.value = text;
  grow();
  if (!isFocused) return;
  box.focus();
  if (text) typed();
}

function hint(nodes, isProblem = false) {
  const line = $("#hint");
  put(line, nodes);
  line.hidden = !nodes.length;
  line.classList.toggle("problem", isProblem);
}

/** Sends plain text; names after @ and # become mentions, as a client makes them. */
async function sendText() {
  const box = $("#text");
  const text = box.value.trim();
  if (!text || box.disabled) return;
  const link = (sigil, items) => (whole, name) => {
    const found = items.find((item) => item.name.toLowerCase() === name.toLowerCase());
    return found ? `<${sigil}${found.id}>` : whole;
  };
  const content = text
    .replace(/(?<!\S)@([\w.]+)/g, link("@", [...state.members.values()]))
    .replace(/(?<!\S)#([\w-]+)/g, link("#", guildChannels()));
  box.value = "";
  grow();
  closeList();
  try {
    await post("api/say", { content });
  } catch (error) {
    if (!box.value) box.value = text;
    hint([error.message], true);
  }
}

function offerWho() {
  const people = [...state.members.values()].filter((member) => member.is_playable);
  const items = people.map((member) => ({
    id: member.id,
    label: member.name,
    description: member.about,
    before: avatar(member, "small"),
    isPicked: member.id === state.me,
  }));
  whoList.show($("#who"), items, {
    title: "Speak as",
    active: Math.max(
      0,
      items.findIndex((item) => item.isPicked),
    ),
  });
}

function whoKey(event) {
  const { key: name } = event;
  if (!whoList.isOpen && (name === "ArrowDown" || name === "ArrowUp")) offerWho();
  else if (!whoList.isOpen) return;
  else if (name === "ArrowDown" || name === "ArrowUp") whoList.move(name === "ArrowDown" ? 1 : -1);
  else if (name === "Escape") whoList.hide();
  else if (name === "Enter" || name === " ") whoList.onPick(whoList.active);
  else return;
  event.preventDefault();
}

function speakAs(id) {
  whoList.hide();
  document.dispatchEvent(new CustomEvent("speak-as", { detail: id }));
}
