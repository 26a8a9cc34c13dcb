/** What may be entered into a command's options: lists to choose from, checks, and the value that is sent. */

import { guildChannels, state } from "./state.js";

const STRING = 3;
const INTEGER = 4;
const BOOLEAN = 5;
const USER = 6;
const CHANNEL = 7;
const ROLE = 8;
const MENTIONABLE = 9;
const NUMBER = 10;

const people = () => [...state.members.values()].map(({ id, name, about }) => ({ label: name, description: about, value: id }));
const channels = () => guildChannels().map(({ id, name }) => ({ label: `#${name}`, value: id }));
const roles = () => [...state.roles.values()].map(({ id, name }) => ({ label: `@${name}`, value: id }));

/** The fixed choices of an option; null when anything may be typed. */
export function choicesOf(option) {
  if (option.choices?.length) return option.choices.map(({ name, value }) => ({ label: name, value }));
  if (option.type === BOOLEAN)
    return [
      { label: "True", value: true },
      { label: "False", value: false },
    ];
  if (option.type === USER) return people();
  if (option.type === CHANNEL) return channels();
  if (option.type === ROLE) return roles();
  if (option.type === MENTIONABLE) return [...people(), ...roles()];
  return null;
}

/** A choice by its name, letter case aside. */
export function choiceNamed(option, text) {
  const wanted = text.trim().toLowerCase().replace(/^[@#]/, "");
  return choicesOf(option)?.find((choice) => choice.label.toLowerCase().replace(/^[@#]/, "") === wanted) ?? null;
}

/** {value} or {problem} for what was typed; `picked` is the choice taken from the list, if any. */
export function readOption(option, text, picked) {
  const typed = text.trim();
  if (picked) return { value: picked.value };
  if (!typed) return option.required ? { problem: `${option.name} is needed.` } : { value: undefined };
  if (choicesOf(option)) {
    const choice = choiceNamed(option, typed);
    return choice ? { value: choice.value } : { problem: `Pick ${option.name} from the list.` };
  }
  if (option.type === INTEGER || option.type === NUMBER) return readNumber(option, typed);
  if (option.type !== STRING) return { problem: "This client cannot attach files to a command." };
  if (typed.length < (option.min_length ?? 0))
    return { problem: `${option.name} needs at least ${option.min_length} characters.` };
  if (typed.length > (option.max_length ?? 6000))
    return { problem: `${option.name} takes at most ${option.max_length ?? 6000} characters.` };
  return { value: typed };
}

function readNumber(option, typed) {
  const isWhole = option.type === INTEGER;
  const value = Number(typed);
  if (!(isWhole ? /^[-+]?\d{1,15}$/ : /^[-+]?\d{1,15}([.]\d+)?$/).test(typed))
    return { problem: `${option.name} must be a ${isWhole ? "whole number" : "number"}.` };
  const low = option.min_value ?? -Infinity;
  const high = option.max_value ?? Infinity;
  if (value >= low && value <= high) return { value };
  if (low === -Infinity) return { problem: `${option.name} must be at most ${high}.` };
  return {
    problem: high === Infinity ? `${option.name} must be at least ${low}.` : `${option.name} must be between ${low} and ${high}.`,
  };
}

/** What may be entered, in a few words, for the line above the fields. */
export function rangeText(option) {
  if (option.min_value !== undefined && option.max_value !== undefined) return `${option.min_value} to ${option.max_value}`;
  return option.required ? "required" : "optional";
}
