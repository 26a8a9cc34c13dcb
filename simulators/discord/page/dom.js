/** Building and updating DOM nodes. Data only ever becomes text nodes and attributes, never markup. */

const SVG = "http://www.w3.org/2000/svg";

/** Attributes that belong to the living page (an open popup, a revealed spoiler), not to the rendered message. */
const KEPT = new Set(["aria-controls", "aria-expanded", "aria-activedescendant", "data-revealed"]);

/** An element. `props`: attributes by name; `true` sets an empty one, `null`/`false`/`undefined` none; `on` listeners; `css` properties. */
export function el(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for SVG, which needs its namespace. */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (name === "css") for (const [key, setting] of Object.entries(value)) node.style.setProperty(key, setting);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Replaces all children of `node`. */
export function put(node, ...children) {
  node.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const ICONS = {
  at: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M16 8v5a3 3 0 0 0 6 0v-1a10 10 0 1 0-4 8",
  hash: "M9 3 7.4 21M16.6 3 15 21M4 8.5h17M3 15.5h17",
  menu: "M3 6h18M3 12h18M3 18h18",
  close: "M5 5l14 14M19 5 5 19",
  chevron: "M6 9l6 6 6-6",
  send: "M4 4.5 21 12 4 19.5l2.5-7.5zM6.5 12H13",
  down: "M12 4v15M5 12.5l7 7 7-7",
  plus: "M12 5v14M5 12h14",
  reply: "M4 18v-4a5 5 0 0 1 5-5h10M14 4l5 5-5 5",
  eye: "M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12zM12 9.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6z",
  link: "M14 4h6v6M20 4l-9 9M10 5H5v14h14v-5",
  file: "M6 2.8h8l4.5 4.5v14H6zM14 2.8v4.7h4.5",
  warning: "M12 3.5 2.5 20h19zM12 10v4.5M12 17v.4",
  check: "M4.5 12.5l5 5 10-11",
  sliders: "M4 7h9M18 7h2M4 17h2M11 17h9M15.5 4.8v4.4M8.5 14.8v4.4",
  people:
    "M8.5 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2 20c.4-4 3-6 6.5-6s6.1 2 6.5 6M16 4.3a3.3 3.3 0 0 1 0 6.4M18 14.6c2.3.7 3.7 2.5 4 5.4",
};

/** A stroked 24 x 24 icon that takes the text colour and is silent to screen readers. */
export function icon(name, className = "icon") {
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: className, "aria-hidden": "true", focusable: "false" },
    svg("path", { d: ICONS[name] }),
  );
}

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null);
const isAlike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName;

/**
 * Makes `from` look like `to` while keeping its nodes, so that focus, selection and an open list survive an edit.
 * Nodes pair up by `data-key`, else by position and tag. Returns the node that is in the document afterwards.
 */
export function morph(from, to) {
  if (!isAlike(from, to)) {
    from.replaceWith(to);
    return to;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return from;
  }
  if (from.isEqualNode(to)) return from;
  morphAttributes(from, to);
  morphChildren(from, to);
  return from;
}

function morphAttributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (name !== "style" && !KEPT.has(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (name !== "style" && !(KEPT.has(name) && from.hasAttribute(name)) && from.getAttribute(name) !== value)
      from.setAttribute(name, value);
  }
  // The policy of the page forbids the style attribute; the style object is allowed.
  if (from.style.cssText !== to.style.cssText) from.style.cssText = to.style.cssText;
}

function morphChildren(from, to) {
  const keyed = new Map([...from.childNodes].filter(keyOf).map((node) => [keyOf(node), node]));
  const wantedKeys = new Set([...to.childNodes].map(keyOf));
  let cursor = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    let match = keyed.get(keyOf(wanted)) ?? null;
    if (match && !isAlike(match, wanted)) match = null;
    if (!match && cursor && isAlike(cursor, wanted) && !(keyOf(cursor) && wantedKeys.has(keyOf(cursor)))) match = cursor;
    if (!match) {
      from.insertBefore(wanted, cursor);
      continue;
    }
    if (match === cursor) cursor = cursor.nextSibling;
    else from.insertBefore(match, cursor);
    keyed.delete(keyOf(wanted));
    morph(match, wanted);
  }
  while (cursor) {
    const next = cursor.nextSibling;
    cursor.remove();
    cursor = next;
  }
}
