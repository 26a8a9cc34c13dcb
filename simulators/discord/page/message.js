/** One message as a row of the list: a pure picture of the message and of what the page waits for. */

import { avatar } from "./avatar.js";
import { renderComponents } from "./components.js";
import { el, icon } from "./dom.js";
import { failureOf } from "./interactions.js";
import { markdown } from "./markdown.js";
import { renderAttachments, renderEmbeds } from "./media.js";
import { nameOf } from "./mentions.js";
import { messagesOf, state } from "./state.js";
import { timeNode, toUnix } from "./time.js";

const EPHEMERAL = 1 << 6;
const LOADING = 1 << 7;
const COMPONENTS_V2 = 1 << 15;
const GROUP_S = 7 * 60;

export const isPrivate = (message) => Boolean(message.flags & EPHEMERAL);
export const isThinking = (message) => Boolean(message.flags & LOADING);
const authorOf = (message) =>
  state.members.get(message.author.id) ?? {
    id: message.author.id,
    name: message.author.global_name ?? message.author.username ?? "someone",
    is_bot: message.author.bot,
  };

/** Whether a message continues the one above it, and so needs no head of its own. */
export function continues(message, above) {
  return Boolean(
    above &&
    above.author.id === message.author.id &&
    !usedCommand(message) &&
    !message.message_reference &&
    isPrivate(above) === isPrivate(message) &&
    toUnix(message.timestamp) - toUnix(above.timestamp) < GROUP_S,
  );
}

/** {name, user} of the command a message answers; null for messages that answer none. */
function usedCommand(message) {
  const used = message.interaction ?? (message.interaction_metadata?.type === 2 ? message.interaction_metadata : null);
  return used && used.name && (used.type ?? 2) === 2 ? used : null;
}

/** The list item of `message`, shown below `above` (null for the first of a day). */
export function renderMessage(message, above) {
  const author = authorOf(message);
  const isGrouped = continues(message, above);
  const classes = ["message", isGrouped && "grouped", isPrivate(message) && "private", mentionsMe(message) && "mentioned"];
  return el(
    "li",
    {
      class: classes.filter(Boolean).join(" "),
      "data-key": message.id,
      "data-id": message.id,
      tabindex: -1,
      "aria-label": `${author.name}: ${plainText(message).slice(0, 300)}`,
    },
    context(message),
    isGrouped
      ? el("div", { class: "gutter" }, timeNode(toUnix(message.timestamp), "t"))
      : el("div", { class: "gutter" }, avatar(author)),
    el(
      "div",
      { class: "content" },
      isGrouped ? null : head(message, author),
      el("div", { class: "body" }, body(message, author)),
      foot(message),
    ),
  );
}

function mentionsMe(message) {
  return (
    state.me !== null && ((message.mentions ?? []).some((user) => user.id === state.me) || Boolean(message.mention_everyone))
  );
}

/** The line above a message: the command it answers or the message it replies to. */
function context(message) {
  const used = usedCommand(message);
  if (used) {
    const user = state.members.get(used.user?.id) ?? { id: used.user?.id ?? "0", name: used.user?.username ?? "someone" };
    return el(
      "div",
      { class: "context" },
      icon("reply", "icon context-hook"),
      avatar(user, "tiny"),
      el("span", { class: "context-name" }, user.name),
      " used ",
      el("span", { class: "mention" }, `/${used.name}`),
    );
  }
  if (!message.message_reference) return null;
  const target = messagesOf(message.channel_id).get(message.message_reference.message_id) ?? message.referenced_message;
  const words = target ? plainText(target).slice(0, 120) : "a message that is gone";
  return el(
    "div",
    { class: "context" },
    icon("reply", "icon context-hook"),
    target ? el("span", { class: "context-name" }, nameOf(target.author.id)) : null,
    " ",
    el("span", { class: "context-words" }, words),
  );
}

function head(message, author) {
  const color = author.color ? { css: { "--name": `#${author.color.toString(16).padStart(6, "0")}` } } : {};
  return el(
    "div",
    { class: "head" },
    el("span", { class: "name", ...color }, author.name),
    author.is_bot ? el("span", { class: "badge" }, "APP") : null,
    timeNode(toUnix(message.timestamp), "t", "when"),
  );
}

function body(message, author) {
  if (message.local && !message.local.problem) return thinking("Sending the command…");
  if (message.local) return el("p", { class: "problem" }, icon("warning"), message.local.problem);
  if (isThinking(message)) return thinking(`${author.name} is thinking…`);
  const isLayout = Boolean(message.flags & COMPONENTS_V2);
  return [
    message.content ? el("div", { class: "text" }, markdown(message.content)) : null,
    isLayout ? null : renderAttachments(message),
    renderEmbeds(message),
    renderComponents(message.components, message),
  ];
}

function thinking(words) {
  const dots = el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
  return el("p", { class: "thinking" }, dots, words);
}

function foot(message) {
  const failure = failureOf(message);
  const parts = [];
  if (message.edited_timestamp && !isThinking(message))
    parts.push(el("span", { class: "edited", title: `Edited ${message.edited_timestamp}` }, "(edited)"));
  if (failure) parts.push(el("span", { class: "problem" }, icon("warning"), failure));
  const isOver = !isThinking(message) && !(message.local && !message.local.problem);
  if (isPrivate(message) && isOver) {
    parts.push(
      el(
        "span",
        { class: "only-you" },
        icon("eye"),
        "Only you can see this",
        " · ",
        el("button", { type: "button", class: "as-link", "data-action": "dismiss" }, "Dismiss message"),
      ),
    );
  }
  return parts.length ? el("div", { class: "foot" }, parts) : null;
}

/** The words of a message, for announcements and previews. */
export function plainText(message) {
  const words = [message.content, ...(message.embeds ?? []).flatMap((embed) => [embed.title, embed.description])];
  const visit = (components) => {
    for (const component of components ?? []) {
      words.push(component.type === 10 ? component.content : null);
      visit(component.components);
    }
  };
  visit(message.components);
  const text = words
    .filter(Boolean)
    .join(" ")
    .replace(/<t:\d+(:\w)?>/g, "")
    .replace(/[*_~`#>|]+/g, "")
    .replace(/\s+/g, " ")
    .trim();
  if (text) return text;
  if (message.local) return message.local.problem ?? "sending";
  return isThinking(message) ? "is thinking" : (message.attachments ?? []).map((each) => each.filename).join(", ");
}
