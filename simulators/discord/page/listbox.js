/** A list of choices driven from another element that keeps the focus (the combobox pattern of ARIA). */

import { el, icon, put } from "./dom.js";

let made = 0;

/**
 * Items are {label, description, aside, emoji, isPicked, ...}; whatever else they carry comes back in `onPick(item)`.
 * `owner` is the focused element; its aria-activedescendant follows the active item.
 */
export class Listbox {
  constructor({ label, onPick, isMulti = false }) {
    this.id = `list-${++made}`;
    this.onPick = onPick;
    this.items = [];
    this.at = -1;
    this.owner = null;
    this.list = el("div", {
      id: this.id,
      role: "listbox",
      class: "list",
      "aria-label": label,
      "aria-multiselectable": isMulti ? "true" : null,
    });
    this.title = el("div", { class: "list-title" });
    this.node = el("div", { class: "popup", hidden: true }, this.title, this.list);
    // A press must not take the focus away from the owner.
    this.node.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.#pickAt(event.target.closest("[role=option]")));
  }

  get isOpen() {
    return !this.node.hidden;
  }

  get active() {
    return this.isOpen ? (this.items[this.at] ?? null) : null;
  }

  /** Shows `items` under `title`; `active` is the index that Enter takes, -1 for none. `note` stands for an empty list. */
  show(owner, items, { title = "", active = 0, note = "" } = {}) {
    if (this.owner !== owner) this.#release();
    this.owner = owner;
    this.items = items;
    put(this.title, title);
    this.title.hidden = !title;
    put(
      this.list,
      items.map((item, index) => this.#option(item, index)),
      items.length ? null : el("div", { class: "list-note", role: "presentation" }, note),
    );
    this.node.hidden = false;
    owner.setAttribute("aria-controls", this.id);
    if (owner.getAttribute("role") === "combobox") owner.setAttribute("aria-expanded", "true");
    this.activate(Math.min(active, items.length - 1));
  }

  hide() {
    if (!this.isOpen) return;
    this.node.hidden = true;
    this.items = [];
    this.at = -1;
    this.#release();
  }

  /** Makes item `index` the one that Enter takes. */
  activate(index) {
    this.list.querySelector(".active")?.classList.remove("active");
    this.at = index;
    const node = index < 0 ? null : this.list.children[index];
    if (node) {
      node.classList.add("active");
      node.scrollIntoView({ block: "nearest" });
      this.owner.setAttribute("aria-activedescendant", node.id);
    } else this.owner.removeAttribute("aria-activedescendant");
  }

  /** Up and down, round the ends; returns whether there was something to move over. */
  move(delta) {
    const count = this.items.length;
    if (!this.isOpen || !count) return false;
    this.activate(this.at < 0 ? (delta > 0 ? 0 : count - 1) : (this.at + delta + count) % count);
    return true;
  }

  #pickAt(node) {
    if (node) this.onPick(this.items[Number(node.dataset.index)]);
  }

  #release() {
    this.owner?.removeAttribute("aria-activedescendant");
    this.owner?.removeAttribute("aria-controls");
    if (this.owner?.getAttribute("role") === "combobox") this.owner.setAttribute("aria-expanded", "false");
  }

  #option(item, index) {
    return el(
      "div",
      {
        id: `${this.id}-${index}`,
        role: "option",
        class: "option",
        "data-index": index,
        "aria-selected": item.isPicked ? "true" : "false",
      },
      item.before ?? null,
      item.emoji ? el("span", { class: "emoji" }, item.emoji.id ? `:${item.emoji.name}:` : item.emoji.name) : null,
      el(
        "span",
        { class: "option-words" },
        el(
          "span",
          { class: "option-label" },
          item.label,
          item.aside ? [" ", el("span", { class: "option-aside" }, item.aside)] : null,
        ),
        " ",
        item.description ? el("span", { class: "option-description" }, item.description) : null,
      ),
      item.isPicked ? icon("check", "icon option-check") : null,
    );
  }
}
