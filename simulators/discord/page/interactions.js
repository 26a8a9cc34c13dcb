/** Pressing, choosing and sending: what goes to the bot, what is waiting, and what came to nothing. */

import { openModal } from "./modal.js";
import { post } from "./server.js";
import { messagesOf, state, tell } from "./state.js";
import { now } from "./time.js";

const waiting = new Set(); // "message id/custom id" of controls whose press is not answered yet
const chosen = new Map(); // the same key -> {values, seen}: what was picked in a select, until its card says otherwise
const failures = new Map(); // message id -> sentence
let localCount = 0;

const keyOf = (message, customId) => `${message.id}/${customId}`;
export const isWaiting = (message, customId) => waiting.has(keyOf(message, customId));
export const failureOf = (message) => failures.get(message.id);

/** The values a select shows: the member's own last pick while the bot has not changed the select, else its defaults. */
export function valuesOf(message, select) {
  const pick = chosen.get(keyOf(message, select.custom_id));
  if (pick && pick.seen === JSON.stringify(select)) return pick.values;
  return (
    select.options?.filter((option) => option.default).map((option) => option.value) ??
    (select.default_values ?? []).map((value) => value.id)
  );
}

/** Every component of a message or modal, depth first. */
export function* walk(components) {
  for (const component of components ?? []) {
    yield component;
    yield* walk(component.components);
    if (component.accessory) yield component.accessory;
    if (component.component) yield* walk([component.component]);
  }
}

export function findComponent(message, customId) {
  return [...walk(message.components)].find((component) => component.custom_id === customId);
}

/** Presses a button or sends a select's values. */
export async function press(message, customId, values = null) {
  const key = keyOf(message, customId);
  const component = findComponent(message, customId);
  if (!component || waiting.has(key)) return;
  if (values) chosen.set(key, { values, seen: JSON.stringify(component) });
  failures.delete(message.id);
  waiting.add(key);
  tell("redraw", message.id);
  try {
    const answer = await post("api/press", { channel: message.channel_id, message_id: message.id, custom_id: customId, values });
    if (answer.outcome === "modal") openModal(answer.modal);
  } catch (error) {
    failures.set(message.id, error.message);
    chosen.delete(key);
  } finally {
    waiting.delete(key);
    tell("redraw", message.id);
  }
}

/** Sends a slash command with its `options` by name; a line stands in the chat until the bot has answered, and says so if it does not. */
export async function run(command, options) {
  const line = addLine(command);
  try {
    const answer = await post("api/run", { channel: line.channel_id, command_id: command.id, path: command.path, options });
    removeLine(line);
    if (answer.outcome === "modal") openModal(answer.modal);
  } catch (error) {
    line.local.problem = error.message;
    tell("redraw", line.id);
  }
}

/** Asks the bot for choices for option `focused`, where `text` was typed; an Error when it does not answer. */
export async function suggest(command, focused, text, options) {
  return (await post("api/suggest", { command_id: command.id, path: command.path, focused, text, options })).choices;
}

function addLine(command) {
  const line = {
    id: `local-${++localCount}`,
    channel_id: state.channel,
    author: { id: command.bot },
    timestamp: new Date(now() * 1000).toISOString(),
    flags: 64,
    local: { problem: null },
    interaction: { name: command.path.join(" "), user: { id: state.me } },
  };
  messagesOf(line.channel_id).set(line.id, line);
  tell("message", { message: line, before: null });
  return line;
}

export function removeLine(line) {
  messagesOf(line.channel_id).delete(line.id);
  tell("gone", { channel_id: line.channel_id, id: line.id });
}

/** Takes away a message that only this member sees. */
export async function dismiss(message) {
  if (message.local) removeLine(message);
  else await post("api/dismiss", { channel: message.channel_id, message_id: message.id });
}
