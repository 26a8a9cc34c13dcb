"""A message as readable text, the way a person would read it out."""

from __future__ import annotations

from simulators.discord import components as parts
from simulators.discord.objects import FLAG_LOADING, Json

THINKING = "is thinking…"


def as_text(message: Json) -> str:
    """Content, embeds, components and files on one line each.

    Buttons are `(Label)`, disabled ones `(Label, disabled)`, link buttons `(Label: url)`; selects are
    `[Placeholder: One | Two*]` with `*` at what is selected; files and pictures are `<name>`, each once.
    """
    if message["flags"] & FLAG_LOADING:
        return THINKING
    lines = [message.get("content") or ""]
    lines += [_embed(embed) for embed in message.get("embeds", [])]
    lines += [_component(component) for component in message.get("components", [])]
    lines += [f"<{file['filename']}>" for file in message.get("attachments", [])]
    return "\n".join(line for line in lines if line)


def _embed(embed: Json) -> str:
    lines = [
        embed.get("author", {}).get("name", ""),
        embed.get("title", ""),
        embed.get("description", ""),
        *(f"{field['name']}: {field['value']}" for field in embed.get("fields", [])),
        embed.get("footer", {}).get("text", ""),
    ]
    return "\n".join(line for line in lines if line)


def _component(component: Json) -> str:
    kind = component["type"]
    if kind == parts.TEXT_DISPLAY:
        return str(component["content"])
    if kind == parts.BUTTON:
        return _button(component)
    if kind in parts.SELECTS:
        return _select(component)
    if kind in (parts.THUMBNAIL, parts.MEDIA_GALLERY, parts.FILE):
        return _media(component)
    if kind == parts.SECTION:
        return "\n".join([*map(_component, component["components"]), _component(component["accessory"])])
    separator = " " if kind == parts.ACTION_ROW else "\n"
    inner = [_component(child) for child in component.get("components", [])]
    return separator.join(line for line in inner if line)


def label_of(component: Json) -> str:
    """What a person calls a button or select: its label, emoji or placeholder."""
    emoji = (component.get("emoji") or {}).get("name") or ""
    label = component.get("label") or component.get("placeholder") or ""
    return " ".join(part for part in (emoji, label) if part)


def _button(button: Json) -> str:
    extra = f": {button['url']}" if button.get("url") else ", disabled" if button.get("disabled") else ""
    return f"({label_of(button)}{extra})"


def _select(select: Json) -> str:
    options = [option["label"] + ("*" if option.get("default") else "") for option in select.get("options", [])]
    shown = f"{label_of(select)}: {' | '.join(options)}" if options else label_of(select)
    return f"[{shown}{', disabled' if select.get('disabled') else ''}]"


def _media(component: Json) -> str:
    if component["type"] == parts.MEDIA_GALLERY:
        media = [(item.get("description"), item["media"]) for item in component["items"]]
    else:
        media = [(component.get("description"), component.get("media") or component["file"])]
    return " ".join(f"<{note or one['url'].split('?')[0].rsplit('/', 1)[-1]}>" for note, one in media)
