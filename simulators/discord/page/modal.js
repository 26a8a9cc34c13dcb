/** Forms that a bot opens. The browser's dialog element keeps the focus inside and closes on Escape. */

import { optionsOf } from "./components.js";
import { el, put } from "./dom.js";
import { markdown } from "./markdown.js";
import { post } from "./server.js";

let opener = null;
const dialog = () => document.querySelector("#modal");

/** Shows {title, components, ...}; what the member enters goes to the bot under the custom ids. */
export function openModal(modal) {
  const fields = (modal.components ?? []).flatMap((component) => fieldsOf(component));
  const problem = el("p", { class: "problem", role: "alert", hidden: true });
  const send = el("button", { type: "submit", class: "button button-primary" }, "Submit");
  const cancel = el(
    "button",
    { type: "button", class: "button button-secondary", on: { click: () => dialog().close() } },
    "Cancel",
  );
  const form = el(
    "form",
    { novalidate: true, on: { submit: (event) => submit(event, modal, fields, problem, send) } },
    fields.map((field) => field.node),
    problem,
    el("div", { class: "modal-foot" }, cancel, send),
  );
  put(dialog(), el("h2", { id: "modal-title" }, modal.title), form);
  opener = document.activeElement;
  if (!dialog().open) dialog().showModal();
  (form.querySelector("[autofocus], input, textarea, select") ?? send).focus();
}

/** Gives the focus back to where it was; called when the dialog has closed. */
export function modalClosed() {
  put(dialog());
  if (opener?.isConnected) opener.focus();
  opener = null;
}

async function submit(event, modal, fields, problem, send) {
  event.preventDefault();
  for (const field of fields) field.setProblem?.(field.check?.() ?? "");
  const bad = fields.find((field) => field.check?.());
  if (bad) return bad.focus();
  problem.hidden = true;
  send.disabled = true;
  try {
    await post("api/submit", {
      modal_id: modal.id,
      values: Object.fromEntries(fields.filter((field) => field.id).map((field) => [field.id, field.value()])),
    });
    dialog().close();
  } catch (error) {
    put(problem, error.message).hidden = false;
    send.disabled = false;
  }
}

/** The fields of one top-level component: {node, id, value(), check(), setProblem(), focus()}. */
function fieldsOf(component) {
  if (component.type === 10) return [{ node: el("div", { class: "text" }, markdown(component.content)) }];
  if (component.type === 1) return (component.components ?? []).map((inner) => field(inner, inner.label, ""));
  if (component.type === 18) return [field(component.component, component.label, component.description)];
  return [{ node: el("p", { class: "subtext" }, `This client cannot show a component of type ${component.type} in a form.`) }];
}

function field(component, label, description) {
  const id = `field-${component.custom_id}`;
  const control = controlOf(component, id, label);
  const isRequired = component.required ?? component.type !== 23;
  const hint = description ? el("p", { id: `${id}-hint`, class: "subtext" }, description) : null;
  const problem = el("p", { id: `${id}-problem`, class: "problem", hidden: true });
  control.focusable?.setAttribute("aria-describedby", `${hint ? `${id}-hint ` : ""}${id}-problem`);
  if (isRequired) control.focusable?.setAttribute("aria-required", "true");
  const title = [label ?? "", isRequired ? el("span", { class: "required", "aria-hidden": "true" }, " *") : null];
  const head = control.isGroup ? el("legend", {}, title) : el("label", { for: id }, title);
  return {
    node: el(control.isGroup ? "fieldset" : "div", { class: "field" }, head, hint, control.node, problem),
    id: component.custom_id,
    value: control.value,
    check: () => control.check?.(isRequired) ?? "",
    focus: () => (control.focusable ?? control.node.querySelector("input")).focus(),
    setProblem: (text) => {
      put(problem, text).hidden = !text;
      control.focusable?.toggleAttribute("aria-invalid", Boolean(text));
    },
  };
}

function controlOf(component, id, label) {
  if (component.type === 4) return textInput(component, id);
  if (component.type === 23)
    return group(
      "checkbox",
      [{ value: "true", label: component.label ?? label, default: component.default }],
      component,
      id,
      (values) => values.length > 0,
    );
  if (component.type === 21) return group("radio", component.options, component, id, (values) => values[0] ?? null);
  if (component.type === 22) return group("checkbox", component.options, component, id);
  if ([3, 5, 6, 7, 8].includes(component.type)) {
    return (component.max_values ?? 1) > 1 ? group("checkbox", optionsOf(component), component, id) : singleSelect(component, id);
  }
  return {
    node: el("p", { class: "subtext" }, `This client cannot show a component of type ${component.type} in a form.`),
    value: () => [],
  };
}

function textInput(component, id) {
  const props = {
    id,
    name: component.custom_id,
    placeholder: component.placeholder,
    maxlength: component.max_length ?? 4000,
    autocomplete: "off",
  };
  const input = component.style === 2 ? el("textarea", { ...props, rows: 4 }) : el("input", { ...props, type: "text" });
  input.value = component.value ?? "";
  const check = (isRequired) => {
    const { length } = input.value.trim();
    if (!length) return isRequired ? "This field is required." : "";
    return length < (component.min_length ?? 0) ? `At least ${component.min_length} characters, please.` : "";
  };
  return { node: input, focusable: input, value: () => input.value, check };
}

function singleSelect(component, id) {
  const options = optionsOf(component);
  const blank = el("option", { value: "" }, component.placeholder ?? "Make a selection");
  const select = el(
    "select",
    { id, name: component.custom_id },
    blank,
    options.map((option) =>
      el(
        "option",
        { value: option.value, selected: Boolean(option.default) },
        option.description ? `${option.label} · ${option.description}` : option.label,
      ),
    ),
  );
  const check = (isRequired) => (isRequired && !select.value ? "Choose one, please." : "");
  return { node: select, focusable: select, value: () => (select.value ? [select.value] : []), check };
}

/** Checkboxes or radio buttons; `shape` turns the picked values into what is sent. */
function group(type, options, component, id, shape = (values) => values) {
  const inputs = (options ?? []).map((option, index) =>
    el("input", { type, id: `${id}-${index}`, name: id, value: option.value, checked: Boolean(option.default) }),
  );
  const rows = inputs.map((input, index) =>
    el(
      "label",
      { class: "tick", for: input.id },
      input,
      el(
        "span",
        {},
        options[index].label,
        options[index].description ? el("span", { class: "subtext" }, ` ${options[index].description}`) : null,
      ),
    ),
  );
  const picked = () => inputs.filter((input) => input.checked).map((input) => input.value);
  const least = component.min_values ?? 1;
  const most = component.max_values ?? (type === "radio" ? 1 : options.length);
  const check = (isRequired) => {
    const { length } = picked();
    if (!length) return isRequired && least > 0 ? "Choose at least one, please." : "";
    return length < least || length > most ? `Choose ${least} to ${most}, please.` : "";
  };
  return { node: el("div", { class: "ticks" }, rows), isGroup: true, value: () => shape(picked()), check };
}
