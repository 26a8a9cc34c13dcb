/** The open list of a select in a message. It lives in a layer above the page, so edits of the card leave it alone. */

import { optionsOf } from "./components.js";
import { findComponent, press, valuesOf } from "./interactions.js";
import { Listbox } from "./listbox.js";
import { messagesOf, state } from "./state.js";

const GAP_PX = 4;
const TYPE_AHEAD_MS = 700;
let open = null; // {listbox, owner, message, component, picked: Set}
let typed = { text: "", at: 0 };

/** Opens or closes the list of the select `owner` in `message`. */
export function toggleSelect(owner, message) {
  const wasMine = open?.owner === owner;
  closeSelect();
  if (wasMine) return;
  const component = findComponent(message, owner.dataset.custom);
  if (!component || component.disabled) return;
  const isMulti = (component.max_values ?? 1) > 1;
  const listbox = new Listbox({ label: component.placeholder ?? "Choices", isMulti, onPick: pick });
  open = { listbox, owner, message, component, isMulti, picked: new Set(valuesOf(message, component)), before: "" };
  open.before = [...open.picked].join();
  document.querySelector("#layer").append(listbox.node);
  show(
    Math.max(
      0,
      optionsOf(component).findIndex((option) => open.picked.has(option.value)),
    ),
  );
}

/** Closes the list; a select of several values sends what was picked. */
export function closeSelect() {
  if (!open) return;
  const { listbox, message, component, isMulti, picked, before } = open;
  listbox.hide();
  listbox.node.remove();
  open = null;
  const fits = picked.size >= (component.min_values ?? 1) && picked.size <= (component.max_values ?? 1);
  if (isMulti && fits && [...picked].join() !== before) press(message, component.custom_id, [...picked]);
}

function show(active) {
  const { listbox, owner, component, isMulti, picked } = open;
  const items = optionsOf(component).map((option) => ({ ...option, isPicked: picked.has(option.value) }));
  const range = `Choose ${component.min_values ?? 1} to ${component.max_values ?? 1}, Escape when done`;
  listbox.show(owner, items, { active, title: isMulti ? range : "", note: "Nothing to choose from" });
  place();
}

function pick(item) {
  const { message, component, isMulti, picked, listbox } = open;
  if (!isMulti) {
    closeSelect();
    press(message, component.custom_id, [item.value]);
    return;
  }
  if (picked.has(item.value)) picked.delete(item.value);
  else if (picked.size < component.max_values) picked.add(item.value);
  show(listbox.at < 0 ? 0 : listbox.items.indexOf(item));
}

/** Puts the list below its select, or above it where there is more room. */
function place() {
  const { listbox, owner } = open;
  const box = owner.getBoundingClientRect();
  const below = window.innerHeight - box.bottom;
  const isAbove = below < 240 && box.top > below;
  const style = listbox.node.style;
  style.setProperty("left", `${Math.max(GAP_PX, Math.min(box.left, window.innerWidth - box.width - GAP_PX))}px`);
  style.setProperty("width", `${box.width}px`);
  style.setProperty("max-height", `${Math.min(340, (isAbove ? box.top : below) - 3 * GAP_PX)}px`);
  style.setProperty(isAbove ? "bottom" : "top", `${isAbove ? window.innerHeight - box.top + GAP_PX : box.bottom + GAP_PX}px`);
  style.removeProperty(isAbove ? "top" : "bottom");
}

/** Keeps the list at its select while the page moves; closes it when the select or its message is gone. */
export function followSelect() {
  if (!open) return;
  const message = messagesOf(open.message.channel_id).get(open.message.id);
  if (
    !message ||
    !open.owner.isConnected ||
    open.message.channel_id !== state.channel ||
    !findComponent(message, open.component.custom_id)
  )
    closeSelect();
  else place();
}

/** Keys on a select; returns whether the key was ours. */
export function selectKey(event, owner, message) {
  const isOpen = open?.owner === owner;
  const { key } = event;
  if (!isOpen) return ["ArrowDown", "ArrowUp", "Enter", " "].includes(key) ? (toggleSelect(owner, message), true) : false;
  const { listbox } = open;
  if (key === "ArrowDown" || key === "ArrowUp") listbox.move(key === "ArrowDown" ? 1 : -1);
  else if (key === "Home") listbox.activate(0);
  else if (key === "End") listbox.activate(listbox.items.length - 1);
  else if (key === "Escape" || key === "Tab") closeSelect();
  else if ((key === "Enter" || (key === " " && !typed.text)) && listbox.active) pick(listbox.active);
  else if (key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) typeAhead(key);
  else return false;
  return key !== "Tab";
}

function typeAhead(char) {
  const at = performance.now();
  typed = { text: at - typed.at > TYPE_AHEAD_MS ? char : typed.text + char, at };
  setTimeout(() => performance.now() - typed.at >= TYPE_AHEAD_MS && (typed.text = ""), TYPE_AHEAD_MS + 20);
  const wanted = typed.text.toLowerCase();
  const index = open.listbox.items.findIndex((item) => item.label.toLowerCase().startsWith(wanted));
  if (index >= 0) open.listbox.activate(index);
}

/** Closes the list when something else is pressed. */
export function closeSelectUnless(target) {
  if (open && !open.listbox.node.contains(target) && !open.owner.contains(target)) closeSelect();
}
