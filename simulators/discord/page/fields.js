/** A command being filled in: a chip for each option, lists to choose from, and what Enter, Tab and Escape do. */

import { el, icon, put } from "./dom.js";
import { run, suggest } from "./interactions.js";
import { Listbox } from "./listbox.js";
import { choicesOf, rangeText, readOption } from "./options.js";

const SUGGEST_AFTER_MS = 150;
const WIDTH_MIN = 5;
const WIDTH_MAX = 44;

/** One command in the composer. `leave(text)` goes back to plain text; `hint(nodes)` fills the line above. */
export class CommandFields {
  constructor(command, { leave, hint, popupPlace }) {
    Object.assign(this, { command, leave, hint });
    this.fields = [];
    this.asked = 0;
    this.pending = 0; // the question to the bot that is still open, by its number
    this.takesFirst = false; // Enter or Tab was pressed before the answer was there
    this.timer = 0;
    this.listbox = new Listbox({ label: "Choices", onPick: (item) => this.#pick(item) });
    popupPlace.append(this.listbox.node);
    this.name = el("span", { class: "command-name" }, `/${command.path.join(" ")}`);
    this.more = el("button", {
      type: "button",
      class: "more",
      on: {
        focus: () => this.#offerMore(this.more, -1),
        click: () => this.#offerMore(this.more, 0),
        keydown: (event) => this.#key(event, null),
      },
    });
    this.node = el(
      "div",
      { class: "fields", role: "group", "aria-label": `/${command.path.join(" ")}: ${command.description}` },
      this.name,
      this.more,
    );
    this.node.addEventListener("focusout", (event) => !this.node.contains(event.relatedTarget) && this.#close());
    for (const option of command.options.filter((each) => each.required)) this.#add(option);
    this.#refreshMore();
  }

  /** Puts the cursor where there is something to do; `text` is what was already typed for the first option. */
  start(text = "") {
    if (text && !this.fields.length) this.#add(this.#unused()[0]);
    if (this.fields.length) {
      if (text) this.#setText(this.fields[0], text);
      this.fields[0].input.focus();
    } else {
      this.more.focus();
      this.#offerMore(this.more, -1);
    }
  }

  /** Sends the command when all is well, else shows what is not. */
  send() {
    const values = {};
    for (const field of this.fields) {
      const { value, problem } = readOption(field.option, field.input.value, field.picked);
      if (problem) return this.#complain(field, problem);
      if (value !== undefined) values[field.option.name] = value;
    }
    run(this.command, values);
    this.leave("");
  }

  destroy() {
    this.#close();
    this.listbox.node.remove();
    this.node.remove();
  }

  #unused() {
    return this.command.options.filter((option) => !this.fields.some((field) => field.option === option));
  }

  #add(option, isFocused = false) {
    const input = el("input", {
      type: "text",
      class: "chip-input",
      role: "combobox",
      "aria-label": option.name,
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-haspopup": "listbox",
      "aria-describedby": "hint",
      "aria-required": option.required ? "true" : null,
      autocomplete: "off",
      spellcheck: "false",
      size: WIDTH_MIN,
    });
    const remove = el(
      "button",
      { type: "button", class: "chip-remove", tabindex: -1, "aria-label": `Remove ${option.name}` },
      icon("close"),
    );
    const node = el(
      "span",
      { class: "chip", "data-option": option.name },
      el("span", { class: "chip-name", "aria-hidden": "true" }, option.name),
      input,
      option.required ? null : remove,
    );
    const field = { option, input, node, picked: null };
    input.addEventListener("focus", () => this.#focused(field));
    input.addEventListener("input", () => this.#typed(field));
    input.addEventListener("keydown", (event) => this.#key(event, field));
    input.addEventListener("click", () => !this.listbox.isOpen && this.#focused(field));
    node.addEventListener("click", (event) => event.target !== input && !remove.contains(event.target) && input.focus());
    remove.addEventListener("click", () => this.#remove(field));
    this.more.before(node);
    this.fields.push(field);
    this.#refreshMore();
    if (isFocused) input.focus();
    return field;
  }

  #remove(field) {
    const index = this.fields.indexOf(field);
    this.fields.splice(index, 1);
    field.node.remove();
    this.#refreshMore();
    (this.fields[Math.max(0, index - 1)]?.input ?? this.more).focus();
  }

  #refreshMore() {
    const count = this.#unused().length;
    // With nothing to fill in, the button still holds the focus, so that Enter can send.
    this.more.hidden = !count && this.fields.length > 0;
    put(this.more, count ? [icon("plus"), this.fields.length ? `${count} more` : `${count} optional`] : "Enter to send");
  }

  #focused(field) {
    if (field.picked) return this.#offerMore(field.input, -1);
    this.#explain(field.option);
    this.#list(field, 0);
  }

  #explain(option) {
    this.hint(
      [el("strong", {}, option.name), " ", option.description, " ", el("span", { class: "muted" }, rangeText(option))],
      false,
    );
  }

  #typed(field) {
    field.input.toggleAttribute("aria-invalid", false);
    field.node.classList.remove("bad");
    if (field.picked && this.#typedOn(field)) return;
    field.picked = null;
    const next = /(?:^|\s)([\w-]{1,32}):$/.exec(field.input.value);
    const option = next && this.#unused().find((each) => each.name === next[1].toLowerCase());
    if (option) {
      this.#setText(field, field.input.value.slice(0, next.index).trim());
      return void this.#add(option, true);
    }
    this.#fit(field);
    this.#explain(field.option);
    this.#list(field, SUGGEST_AFTER_MS);
  }

  /** What is typed behind a choice already made names another option; returns whether it can. */
  #typedOn(field) {
    const { label } = field.picked;
    const words = /^\s*([\w-]+)(:?)$/.exec(field.input.value.startsWith(label) ? field.input.value.slice(label.length) : "");
    const fitting = words ? this.#unused().filter((option) => option.name.startsWith(words[1].toLowerCase())) : [];
    if (!fitting.length) return false;
    this.#fit(field);
    if (words[2] && fitting[0].name === words[1].toLowerCase()) this.#pick({ option: fitting[0], from: field });
    else this.#offerMore(field.input, 0, fitting, field);
    return true;
  }

  #setText(field, text) {
    field.input.value = text;
    this.#fit(field);
  }

  #fit(field) {
    field.input.size = Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, field.input.value.length + 1));
  }

  /** Shows what may be chosen for a field; the bot is asked after `wait` ms without typing. */
  #list(field, wait) {
    clearTimeout(this.timer);
    const sequence = ++this.asked;
    const { option, input } = field;
    if (option.autocomplete) {
      if (!this.listbox.isOpen || this.listbox.owner !== input)
        this.listbox.show(input, [], { title: option.name, note: "Loading options…" });
      this.pending = sequence;
      this.takesFirst = false;
      this.timer = setTimeout(() => this.#suggest(field, sequence), wait);
      return;
    }
    const choices = choicesOf(option);
    if (!choices) return this.#close();
    const typed = field.picked ? "" : input.value.trim().toLowerCase();
    const fitting = choices
      .filter((choice) => choice.label.toLowerCase().includes(typed))
      .map((choice) => ({ ...choice, field }));
    this.listbox.show(input, fitting, { title: option.name, active: 0, note: "No option matches" });
  }

  async #suggest(field, sequence) {
    const others = {};
    for (const each of this.fields) {
      const { value } = readOption(each.option, each.input.value, each.picked);
      if (each !== field && value !== undefined) others[each.option.name] = value;
    }
    let items = [];
    let note = "No option matches";
    try {
      const choices = await suggest(this.command, field.option.name, field.input.value, others);
      items = choices.map((choice) => ({ label: choice.name, value: choice.value, field }));
    } catch (error) {
      note = error.message;
    }
    if (sequence !== this.asked || document.activeElement !== field.input) return;
    this.pending = 0;
    this.listbox.show(field.input, items, { title: field.option.name, active: 0, note });
    if (this.takesFirst && items.length) this.#pick(items[0]);
    this.takesFirst = false;
  }

  #pick(item) {
    if (item.option) {
      if (item.from) this.#setText(item.from, item.from.picked.label);
      return void this.#add(item.option, true);
    }
    const { field } = item;
    field.picked = { label: item.label, value: item.value };
    this.#setText(field, item.label);
    this.#close();
    const empty = this.fields.find((each) => each !== field && !each.input.value.trim() && !each.picked);
    if (empty) return empty.input.focus();
    field.input.focus();
    this.#offerMore(field.input, -1);
  }

  /** Lists the options that can still be added; with none active, Enter sends. */
  #offerMore(owner, active, options = this.#unused(), from = null) {
    const items = options.map((option) => ({ label: option.name, description: option.description, option, from }));
    this.hint(["Enter to send", el("span", { class: "muted" }, items.length ? ", or add an option" : "")], false);
    if (items.length) this.listbox.show(owner, items, { title: "More options", active });
    else this.#close();
  }

  #close() {
    clearTimeout(this.timer);
    this.asked++;
    this.pending = 0;
    this.listbox.hide();
  }

  #complain(field, problem) {
    field.input.focus();
    this.#close();
    field.input.setAttribute("aria-invalid", "true");
    field.node.classList.add("bad");
    this.hint([problem], true);
  }

  #key(event, field) {
    const { key } = event;
    if (event.isComposing) return;
    const active = this.listbox.active;
    if (key === "ArrowDown" || key === "ArrowUp") {
      if (!this.listbox.isOpen) field ? this.#list(field, 0) : this.#offerMore(this.more, 0);
      else this.listbox.move(key === "ArrowDown" ? 1 : -1);
    } else if (key === "Escape") {
      if (this.listbox.isOpen) this.#close();
      else this.leave("");
    } else if (key === "Enter" && this.pending && field?.input.value.trim()) this.takesFirst = true;
    else if (key === "Enter" && active) this.#pick(active);
    else if (key === "Enter") this.send();
    else if (key === "Tab" && !event.shiftKey && field && this.#isWorthTaking(field) && this.pending) this.takesFirst = true;
    else if (key === "Tab" && !event.shiftKey && active && field && (active.option || this.#isWorthTaking(field)))
      this.#pick(active);
    else if (key === "Backspace" && (!field || !field.input.value)) this.#back(field);
    else return;
    event.preventDefault();
  }

  /** Tab takes the active choice of what was typed, but does not fill in an optional field nobody touched. */
  #isWorthTaking(field) {
    return !field.picked && (field.input.value.trim() !== "" || Boolean(field.option.required));
  }

  #back(field) {
    const index = field ? this.fields.indexOf(field) : this.fields.length;
    if (field && !field.option.required) return this.#remove(field);
    if (index > 0) return this.fields[index - 1].input.focus();
    this.leave(`/${this.command.path.join(" ")}`);
  }
}
