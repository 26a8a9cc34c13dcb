/** Pictures, files and embeds. Only what lies on the simulator's CDN is loaded; nothing is fetched from elsewhere. */

import { el, icon } from "./dom.js";
import { inline, link, markdown } from "./markdown.js";
import { timeNode, toUnix } from "./time.js";

const CDN_HOSTS = new Set(["cdn.discordapp.com", "media.discordapp.net"]);
const PICTURE = /\.(png|jpe?g|gif|webp|avif)$/i;

/** The address at which this page may load `url`; null when it lies elsewhere. */
export function localUrl(url, message) {
  if (url?.startsWith("attachment://")) {
    const name = url.slice("attachment://".length);
    const attachment = (message.attachments ?? []).find((each) => each.filename === name);
    return attachment ? localUrl(attachment.url, message) : null;
  }
  const parsed = URL.canParse(url ?? "") ? new URL(url) : null;
  return parsed && CDN_HOSTS.has(parsed.hostname) ? `cdn${parsed.pathname}${parsed.search}` : null;
}

/** A picture with its description, or a link where it lies outside. */
export function picture(media, description, message, className) {
  const source = localUrl(media.url, message) ?? localUrl(media.proxy_url, message);
  if (!source) return el("div", { class: `${className} picture-away` }, link(media.url ?? "", ["picture on another site"]));
  return el("img", {
    class: className,
    src: source,
    alt: description ?? "",
    width: media.width || null,
    height: media.height || null,
    decoding: "async",
    draggable: "false",
  });
}

/** A card to download a file from. `name` and `size` (bytes) may be unknown. */
export function fileCard(url, name, size, message) {
  const attachment = (message.attachments ?? []).find((each) => each.url === url || url === `attachment://${each.filename}`);
  const title = name ?? attachment?.filename ?? decodeURIComponent(url.split(/[/?]/).filter(Boolean).at(-1) ?? "file");
  const source = localUrl(url, message);
  const label = source ? el("a", { href: source, download: title }, title) : el("span", {}, title);
  return el(
    "div",
    { class: "file" },
    icon("file"),
    el("div", {}, label, el("div", { class: "muted" }, sizeText(size ?? attachment?.size))),
  );
}

function sizeText(bytes) {
  if (!Number.isFinite(bytes)) return "";
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

/** Attachments of an ordinary message: pictures shown, anything else to download. */
export function renderAttachments(message) {
  return (message.attachments ?? []).map((attachment) =>
    attachment.content_type?.startsWith("image/") || PICTURE.test(attachment.filename)
      ? picture(attachment, attachment.description ?? attachment.filename, message, "attachment-picture")
      : fileCard(attachment.url, attachment.filename, attachment.size, message),
  );
}

/** The embeds of an ordinary message. */
export function renderEmbeds(message) {
  return (message.embeds ?? []).map((embed) => renderEmbed(embed, message));
}

function renderEmbed(embed, message) {
  const accent = typeof embed.color === "number" ? { "--card-accent": `#${embed.color.toString(16).padStart(6, "0")}` } : {};
  const fields = (embed.fields ?? []).map((field) =>
    el(
      "div",
      { class: field.inline ? "embed-field embed-field-inline" : "embed-field" },
      el("strong", {}, inline(field.name)),
      el("div", { class: "text" }, markdown(field.value)),
    ),
  );
  const footer = [embed.footer?.text, embed.timestamp ? timeNode(toUnix(embed.timestamp), "f") : null].filter(Boolean);
  return el(
    "div",
    { class: "card embed", "data-accented": true, css: accent },
    el(
      "div",
      { class: "section" },
      el(
        "div",
        { class: "section-text" },
        embed.author
          ? el(
              "div",
              { class: "embed-author" },
              embed.author.url ? link(embed.author.url, [embed.author.name]) : embed.author.name,
            )
          : null,
        embed.title
          ? el("div", { class: "embed-title" }, embed.url ? link(embed.url, inline(embed.title)) : inline(embed.title))
          : null,
        embed.description ? el("div", { class: "text" }, markdown(embed.description)) : null,
        fields.length ? el("div", { class: "embed-fields" }, fields) : null,
      ),
      embed.thumbnail ? picture(embed.thumbnail, "", message, "thumbnail") : null,
    ),
    embed.image ? picture(embed.image, "", message, "gallery-picture") : null,
    footer.length ? el("div", { class: "embed-footer muted" }, footer[0], footer[1] ? [" · ", footer[1]] : null) : null,
  );
}
