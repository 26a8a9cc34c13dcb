"""The health page for people: one self-contained HTML document that renews itself. Pure."""

from __future__ import annotations

from datetime import datetime
from html import escape

from daemon.kernel.health import Check, Report, Status

_REFRESH_S = 5

_WORDS = {Status.PASS: "fine", Status.WARN: "look at this", Status.FAIL: "not working"}
_SIGNS = {Status.PASS: "✓", Status.WARN: "!", Status.FAIL: "✕"}
_GROUPS = (
    ("plex", "Plex servers"),
    ("discord", "Discord bots"),
    ("module", "Modules"),
    ("", "The daemon itself"),
    ("breaker", "Circuit breakers: closed is well, open spares what does not answer"),
)

_STYLE = """
:root { color-scheme: light dark; --back:#f4f2ee; --card:#fff; --ink:#1d1b19; --dim:#6d6862; --line:#e4dfd8;
  --pass:#1f7a4d; --warn:#9a6400; --fail:#b3261e; --passback:#e2f3e9; --warnback:#fbeed2; --failback:#fbe3e1; }
@media (prefers-color-scheme: dark) { :root { --back:#161412; --card:#211e1b; --ink:#f2eee8; --dim:#a39c93;
  --line:#35302b; --pass:#74d3a1; --warn:#f2bf5e; --fail:#ff9a92; --passback:#16301f; --warnback:#352813;
  --failback:#3b1a18; } }
* { box-sizing:border-box; }
body { margin:0; background:var(--back); color:var(--ink); font:16px/1.5 system-ui,"Segoe UI",Roboto,sans-serif; }
main { max-width:60rem; margin:0 auto; padding:2.5rem 1.25rem 4rem; }
header { display:flex; flex-wrap:wrap; gap:.5rem 1rem; align-items:baseline; margin-bottom:1.5rem; }
h1 { font-size:1.6rem; letter-spacing:.02em; margin:0; }
h1 b { border:2px solid; border-style:dotted solid; border-radius:.4rem; padding:.1rem .6rem; }
.meta { color:var(--dim); font-size:.9rem; margin-left:auto; }
.whole { border-radius:.9rem; padding:1.1rem 1.3rem; font-size:1.15rem; font-weight:600; }
.whole small { display:block; font-weight:400; font-size:.95rem; margin-top:.15rem; color:var(--ink); }
h2 { font-size:.8rem; text-transform:uppercase; letter-spacing:.09em; color:var(--dim); margin:2rem 0 .6rem; }
ul { list-style:none; margin:0; padding:0; background:var(--card); border:1px solid var(--line); border-radius:.9rem; }
li { display:grid; grid-template-columns:1.9rem minmax(7rem,14rem) 1fr auto; gap:.3rem .9rem; padding:.75rem 1.1rem;
  align-items:baseline; }
li + li { border-top:1px solid var(--line); }
li b { font-weight:600; overflow-wrap:anywhere; }
li span.text { color:var(--dim); overflow-wrap:anywhere; }
.sign { display:inline-grid; place-items:center; width:1.5rem; height:1.5rem; border-radius:50%; font-size:.85rem;
  font-weight:700; }
.word { font-size:.85rem; font-weight:600; white-space:nowrap; }
.pass { color:var(--pass); } .warn { color:var(--warn); } .fail { color:var(--fail); }
.sign.pass, .whole.pass { background:var(--passback); } .sign.warn, .whole.warn { background:var(--warnback); }
.sign.fail, .whole.fail { background:var(--failback); }
footer { margin-top:2.5rem; color:var(--dim); font-size:.9rem; } footer a { color:inherit; }
@media (max-width:40rem) { li { grid-template-columns:1.9rem 1fr auto; }
  li span.text { grid-column:2 / -1; grid-row:2; } }
"""


def health_page(report: Report, *, version: str, started_at: datetime) -> str:
    """The whole document. Everything that came from outside is escaped."""
    groups = "".join(_group(title, _members(report, kind)) for kind, title in _GROUPS)
    started = started_at.strftime("%Y-%m-%d %H:%M UTC")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{_REFRESH_S}">
<title>{_SIGNS[report.status]} Marquee</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<header><h1><b>MARQUEE</b></h1><span class="meta">version {escape(version)}, up since {started}</span></header>
{_whole(report)}
{groups}
<footer>This page renews itself every {_REFRESH_S} seconds. For machines: <a href="/health">/health</a>,
<a href="/health/ready">/health/ready</a>, <a href="/metrics">/metrics</a>.</footer>
</main>
</body>
</html>
"""


def _whole(report: Report) -> str:
    wrong = sum(check.status is not Status.PASS for check in report.checks.values())
    if report.is_draining:
        text, small = "Stopping", "Work under way is being finished."
    elif not report.is_ready:
        text, small = "Not ready", "; ".join(report.reasons)
    elif wrong:
        things = "one thing needs" if wrong == 1 else f"{wrong} things need"
        text, small = "Running", f"Commands are answered; {things} a look."
    else:
        text, small = "All is well", "Commands are answered, and everything Marquee talks to answers, too."
    return f'<div class="whole {report.status}" role="status">{escape(text)}<small>{escape(small)}</small></div>'


def _members(report: Report, kind: str) -> list[tuple[str, Check]]:
    kinds = {known for known, _ in _GROUPS if known}
    return [
        (name.partition(":")[2].replace(":", ", ") or name, check)
        for name, check in report.checks.items()
        if (name.partition(":")[0] == kind if kind else name.partition(":")[0] not in kinds)
    ]


def _group(title: str, members: list[tuple[str, Check]]) -> str:
    if not members:
        return ""
    return f"<section><h2>{title}</h2><ul>{''.join(_row(name, check) for name, check in members)}</ul></section>"


def _row(name: str, check: Check) -> str:
    observed = "" if check.observed is None else f"{check.observed} {check.unit or ''}".strip()
    text = check.output or observed
    sign = f'<span class="sign {check.status}" aria-hidden="true">{_SIGNS[check.status]}</span>'
    word = f'<span class="word {check.status}">{_WORDS[check.status]}</span>'
    return f'<li>{sign}<b>{escape(name)}</b><span class="text">{escape(text)}</span>{word}</li>\n'
