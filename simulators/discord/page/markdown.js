/** Discord's subset of Markdown, parsed to nodes. Block rules work on lines, inline rules recurse. */

import { el } from "./dom.js";
import { mention } from "./mentions.js";
import { timeNode } from "./time.js";

const INLINE = [
  ["escape", /^\\([^\sA-Za-z0-9])/],
  ["code", /^(`+)([\s\S]*?[^`])\1(?!`)/],
  ["time", /^<t:(-?\d{1,13})(?::([tTdDfFR]))?>/],
  ["mention", /^<(@[!&]?|#|\/[^:>]{1,100}:|a?:\w{2,32}:)(\d{1,20})>/],
  ["everyone", /^@(?:everyone|here)\b/],
  ["link", /^\[((?:\\.|[^\]\\])+)\]\(<?(https?:\/\/[^\s)>]+)>?(?:\s+"[^"]*")?\)/],
  ["url", /^<(https?:\/\/[^\s>]+)>/],
  ["url", /^(https?:\/\/[^\s<]*[^\s<.,:;"')\]!?])/],
  ["strong", /^\*\*([\s\S]+?)\*\*(?!\*)/],
  ["u", /^__([\s\S]+?)__(?!_)/],
  ["s", /^~~([\s\S]+?)~~/],
  ["spoiler", /^\|\|([\s\S]+?)\|\|/],
  ["em", /^\*(?=\S)((?:\*\*[\s\S]+?\*\*|\\.|[^*\\])+?)\*(?!\*)/],
  ["em", /^_((?:__[\s\S]+?__|\\.|[^_\\])+?)_(?![A-Za-z0-9_])/],
];
const SPECIAL = /[\\`<@[*_~|]|https?:/g;
const DEPTH_MAX = 12;

/** Text as a list of block nodes (paragraphs, headings, lists, quotes, code). */
export function markdown(text) {
  return blocks(String(text).replace(/\r\n?/g, "\n"), 0);
}

function blocks(text, depth) {
  const nodes = [];
  const fence = /```(?:([\w+-]{1,20})\n)?([\s\S]*?)```/g;
  let from = 0;
  for (let match = fence.exec(text); match; match = fence.exec(text)) {
    nodes.push(...lineBlocks(text.slice(from, match.index).replace(/\n$/, ""), depth));
    nodes.push(el("pre", {}, el("code", {}, match[2].replace(/^\n|\n$/g, ""))));
    from = fence.lastIndex;
  }
  nodes.push(...lineBlocks(text.slice(from).replace(from ? /^\n/ : /^$/, ""), depth));
  return nodes;
}

function lineBlocks(text, depth) {
  if (text === "") return [];
  const nodes = [];
  const lines = text.split("\n");
  let paragraph = [];
  const flush = () => {
    if (paragraph.length) nodes.push(el("p", {}, inline(paragraph.join("\n"), depth)));
    paragraph = [];
  };
  for (let i = 0; i < lines.length;) {
    const [node, used] = block(lines, i, depth);
    if (!node) paragraph.push(lines[i++]);
    else {
      flush();
      nodes.push(node);
      i += used;
    }
  }
  flush();
  return nodes;
}

/** The block that begins at line `i` and how many lines it takes; none when it is an ordinary line. */
function block(lines, i, depth) {
  const heading = /^(#{1,3})\s+(.+)$/.exec(lines[i]);
  if (heading)
    return [
      el(
        "p",
        { class: `heading h${heading[1].length}`, role: "heading", "aria-level": heading[1].length + 2 },
        inline(heading[2], depth),
      ),
      1,
    ];
  const small = /^-#\s+(.+)$/.exec(lines[i]);
  if (small) return [el("p", { class: "subtext" }, inline(small[1], depth)), 1];
  if (/^>>> /.test(lines[i]) && depth < DEPTH_MAX) {
    return [el("blockquote", {}, blocks(lines.slice(i).join("\n").slice(4), depth + 1)), lines.length - i];
  }
  if (/^> /.test(lines[i]) && depth < DEPTH_MAX) {
    const used = countWhile(lines, i, (line) => /^> /.test(line));
    return [
      el(
        "blockquote",
        {},
        lineBlocks(
          lines
            .slice(i, i + used)
            .map((line) => line.slice(2))
            .join("\n"),
          depth + 1,
        ),
      ),
      used,
    ];
  }
  if (/^\s*([-*]|\d{1,9}\.)\s+\S/.test(lines[i])) return list(lines, i, depth);
  return [null, 0];
}

function countWhile(lines, from, test) {
  const end = lines.slice(from).findIndex((line) => !test(line));
  return end === -1 ? lines.length - from : end;
}

/** One list; items indented deeper than the first become a list inside the item above. */
function list(lines, i, depth) {
  const pattern = /^(\s*)([-*]|(\d{1,9})\.)\s+(.*)$/;
  const first = pattern.exec(lines[i]);
  const indent = first[1].length;
  const isOf = (line) => {
    const item = pattern.exec(line);
    return item !== null && (item[1].length > indent || (item[1].length === indent && Boolean(item[3]) === Boolean(first[3])));
  };
  const used = countWhile(lines, i, isOf);
  const node = first[3] ? el("ol", { start: first[3] }) : el("ul");
  for (let at = i; at < i + used;) {
    const item = pattern.exec(lines[at]);
    const deeper = countWhile(lines.slice(0, i + used), at + 1, (line) => pattern.exec(line)[1].length > indent);
    const inner = deeper && depth < DEPTH_MAX ? lineBlocks(lines.slice(at + 1, at + 1 + deeper).join("\n"), depth + 1) : [];
    node.append(el("li", {}, inline(item[4], depth), inner));
    at += 1 + deeper;
  }
  return [node, used];
}

/** Text as a list of inline nodes; line breaks stay. */
export function inline(text, depth = 0) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push(document.createTextNode(plain));
    plain = "";
  };
  for (let at = 0; at < text.length;) {
    const [node, used] = depth > DEPTH_MAX ? [null, 0] : span(text, at, depth);
    if (used) {
      if (typeof node === "string") plain += node;
      else {
        flush();
        nodes.push(node);
      }
      at += used;
      continue;
    }
    SPECIAL.lastIndex = at + 1;
    const next = SPECIAL.exec(text)?.index ?? text.length;
    plain += text.slice(at, next);
    at = next;
  }
  flush();
  return nodes;
}

/** The construct at `at` and its length; a string stands for itself. */
function span(text, at, depth) {
  const rest = text.slice(at);
  if (text[at] === "_" && /[A-Za-z0-9]/.test(text[at - 1] ?? "")) return [null, 0];
  for (const [kind, pattern] of INLINE) {
    const match = pattern.exec(rest);
    if (match) return [spanNode(kind, match, depth), match[0].length];
  }
  return [null, 0];
}

function spanNode(kind, match, depth) {
  switch (kind) {
    case "escape":
      return match[1];
    case "code":
      return el("code", {}, match[2].replace(/^ (.*) $/s, "$1"));
    case "time":
      return timeNode(Number(match[1]), match[2] ?? "f", "stamp");
    case "mention":
      return mention(match[1], match[2]);
    case "everyone":
      return el("span", { class: "mention" }, match[0]);
    case "link":
      return link(match[2], inline(match[1], depth + 1));
    case "url":
      return link(match[1], [match[1]]);
    case "spoiler":
      return el(
        "span",
        { class: "spoiler", role: "button", tabindex: 0, "aria-label": "Spoiler, press to reveal", "data-action": "reveal" },
        el("span", {}, inline(match[1], depth + 1)),
      );
    default:
      return el(kind, {}, inline(match[1], depth + 1));
  }
}

/** A link that leaves the page; only http and https are ever made into one. */
export function link(url, children) {
  if (!/^https?:\/\//i.test(url)) return el("span", {}, children);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer", title: url }, children);
}
