/** Message components, both the rows of buttons of old and the layout of Components V2, as DOM nodes. */

import { el, icon } from "./dom.js";
import { isWaiting, valuesOf } from "./interactions.js";
import { fileCard, picture } from "./media.js";
import { link, markdown } from "./markdown.js";
import { guildChannels, state } from "./state.js";

const BUTTON_STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "secondary" };
const NAME_MAX = 16; // a placeholder this short names the select, and stays beside what was picked
const SELECT_PLACEHOLDERS = {
  3: "Make a selection",
  5: "Pick a member",
  6: "Pick a role",
  7: "Pick a member or role",
  8: "Pick a channel",
};

/** Nodes for the components of `message`; `where` names them in order, so that an edit finds its nodes again. */
export function renderComponents(components, message) {
  return (components ?? []).map((component) => render(component, message)).filter(Boolean);
}

function render(component, message) {
  switch (component.type) {
    case 1:
      return el("div", { class: "row", role: "group" }, renderComponents(component.components, message));
    case 2:
      return button(component, message);
    case 3:
    case 5:
    case 6:
    case 7:
    case 8:
      return select(component, message);
    case 9:
      return section(component, message);
    case 10:
      return el("div", { class: "text" }, markdown(component.content));
    case 12:
      return gallery(component, message);
    case 13:
      return spoilered(component.spoiler, fileCard(component.file.url, component.name, component.size, message));
    case 14:
      return el("hr", {
        class: `separator ${component.divider === false ? "separator-blank" : ""} ${component.spacing === 2 ? "separator-large" : ""}`,
      });
    case 17:
      return container(component, message);
    default:
      return el("p", { class: "subtext" }, `This client cannot show a component of type ${component.type}.`);
  }
}

function container(component, message) {
  const accent = typeof component.accent_color === "number" ? `#${component.accent_color.toString(16).padStart(6, "0")}` : null;
  const card = el(
    "div",
    { class: "card", "data-accented": accent !== null, css: accent ? { "--card-accent": accent } : {} },
    renderComponents(component.components, message),
  );
  return spoilered(component.spoiler, card);
}

function section(component, message) {
  const accessory = component.accessory;
  const aside =
    accessory?.type === 11
      ? spoilered(accessory.spoiler, picture(accessory.media, accessory.description, message, "thumbnail"))
      : accessory
        ? button(accessory, message)
        : null;
  return el(
    "div",
    { class: "section" },
    el("div", { class: "section-text" }, renderComponents(component.components, message)),
    aside,
  );
}

function gallery(component, message) {
  const items = component.items.map((item) =>
    spoilered(item.spoiler, picture(item.media, item.description, message, "gallery-picture")),
  );
  return el("div", { class: "gallery", "data-count": Math.min(items.length, 4) }, items);
}

function spoilered(isSpoiler, node) {
  if (!isSpoiler || !node) return node;
  return el(
    "div",
    {
      class: "spoiler spoiler-block",
      role: "button",
      tabindex: 0,
      "aria-label": "Spoiler, press to reveal",
      "data-action": "reveal",
    },
    node,
  );
}

const emojiOf = (emoji) =>
  emoji
    ? el("span", { class: "emoji", "aria-hidden": emoji.id ? null : "true" }, emoji.id ? `:${emoji.name}:` : emoji.name)
    : null;

function button(component, message) {
  const label = component.label ? el("span", { class: "label" }, component.label) : null;
  const title = component.label ? null : (component.emoji?.name ?? "button");
  if (component.style === 5 && !component.disabled) {
    const anchor = link(component.url, [emojiOf(component.emoji), label, icon("link")].filter(Boolean));
    anchor.classList.add("button", "button-link");
    return anchor;
  }
  const isBusy = isWaiting(message, component.custom_id);
  return el(
    "button",
    {
      type: "button",
      class: `button button-${BUTTON_STYLES[component.style] ?? "secondary"}`,
      "data-key": component.custom_id,
      "data-action": "press",
      "data-custom": component.custom_id,
      "aria-label": title,
      "aria-busy": isBusy ? "true" : null,
      disabled: Boolean(component.disabled),
    },
    emojiOf(component.emoji),
    label,
  );
}

function select(component, message) {
  const options = optionsOf(component);
  const values = valuesOf(message, component);
  const picked = options.filter((option) => values.includes(option.value));
  const placeholder = component.placeholder || SELECT_PLACEHOLDERS[component.type];
  const text = picked.map((option) => option.label).join(", ");
  return el(
    "button",
    {
      type: "button",
      class: "select",
      role: "combobox",
      "aria-haspopup": "listbox",
      "aria-expanded": "false",
      "aria-label": text ? `${placeholder}: ${text}` : placeholder,
      "data-key": component.custom_id,
      "data-action": "open-select",
      "data-custom": component.custom_id,
      "aria-busy": isWaiting(message, component.custom_id) ? "true" : null,
      disabled: Boolean(component.disabled),
    },
    text && placeholder.length <= NAME_MAX ? el("span", { class: "select-name" }, placeholder) : null,
    picked.length === 1 ? emojiOf(picked[0].emoji) : null,
    el("span", { class: text ? "select-value" : "select-value placeholder" }, text || placeholder),
    icon("chevron"),
  );
}

/** The options of any select as {value, label, description, emoji}; members, roles and channels are those of the guild. */
export function optionsOf(component) {
  const members = () =>
    [...state.members.values()].map(({ id, name, about }) => ({ value: id, label: name, description: about }));
  const roles = () => [...state.roles.values()].map(({ id, name }) => ({ value: id, label: `@${name}`, description: "Role" }));
  if (component.type === 5) return members();
  if (component.type === 6) return roles();
  if (component.type === 7) return [...members(), ...roles()];
  if (component.type === 8) return guildChannels().map(({ id, name }) => ({ value: id, label: `#${name}` }));
  return component.options ?? [];
}
