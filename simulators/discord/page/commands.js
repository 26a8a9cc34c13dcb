/** Slash commands as a client sees them: one entry for each thing that can be run, sub-commands included. */

import { state } from "./state.js";

const SUB_COMMAND = 1;
const SUB_GROUP = 2;

/** Every command as {id, bot, path, description, options (required first)}, by name. */
export function allCommands() {
  return state.commands
    .filter((command) => (command.type ?? 1) === 1)
    .flatMap((command) => leaves(command, [command.name], command))
    .sort((a, b) => a.path.join(" ").localeCompare(b.path.join(" ")));
}

function leaves(node, path, command) {
  const inner = (node.options ?? []).filter((option) => option.type === SUB_COMMAND || option.type === SUB_GROUP);
  if (inner.length) return inner.flatMap((option) => leaves(option, [...path, option.name], command));
  const options = [...(node.options ?? [])].sort((a, b) => Number(b.required ?? false) - Number(a.required ?? false));
  return [{ id: command.id, bot: command.bot, path, description: node.description, options }];
}

/** Commands that fit what was typed after the slash, the best first. */
export function matching(query) {
  const words = query.toLowerCase();
  const rank = (name) =>
    name.startsWith(words) ? 0 : name.split(" ").some((part) => part.startsWith(words)) ? 1 : name.includes(words) ? 2 : 3;
  return allCommands()
    .map((command) => ({ command, rank: rank(command.path.join(" ")) }))
    .filter((found) => found.rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .map((found) => found.command);
}

/** The command whose full name `text` begins with, followed by a space: {command, rest}. */
export function typedCommand(text) {
  if (!text.startsWith("/")) return null;
  const found = allCommands()
    .filter((command) => text.toLowerCase().startsWith(`/${command.path.join(" ")} `))
    .sort((a, b) => b.path.length - a.path.length)[0];
  return found ? { command: found, rest: text.slice(found.path.join(" ").length + 2) } : null;
}
