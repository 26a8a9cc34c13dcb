"""Health as JSON. Pure: a report in, bytes out."""

from __future__ import annotations

import json
from typing import Any

from daemon.kernel.health import Check, Report, Status


def ready_document(report: Report) -> tuple[bool, bytes]:
    """Whether ready, and the body of /health/ready: the reasons why not, and what is wrong without being needed."""
    warnings = [
        f"{name}: {check.output or check.status}"
        for name, check in report.checks.items()
        if check.status is not Status.PASS
    ]
    document: dict[str, Any] = {"status": "pass" if report.is_ready else "fail"}
    if report.is_ready and warnings:
        document["status"] = "warn"
    if report.reasons:
        document["reasons"] = list(report.reasons)
    if warnings:
        document["warnings"] = warnings
    return report.is_ready, _dump(document)


def startup_document(report: Report) -> bytes:
    """The body of /health/startup: what is still missing, or nothing once all has been started."""
    if report.has_started:
        return _dump({"status": "pass"})
    return _dump({"status": "fail", "reasons": list(report.reasons) or ["starting"]})


def health_document(report: Report, *, version: str) -> bytes:
    """The body of /health in the format of draft-inadarei-api-health-check (expired, but widely read)."""
    document: dict[str, Any] = {
        "status": report.status,
        "version": version.split(".")[0],
        "releaseId": version,
        "serviceId": "marquee",
        "description": "Marquee joins Plex servers and a Discord community",
    }
    if report.is_draining:
        document["notes"] = ["draining: the daemon is stopping"]
    if report.reasons:
        document["output"] = "; ".join(report.reasons)
    document["checks"] = {
        name: [_entry(check, report.changed_at[name].isoformat(timespec="seconds"))]
        for name, check in report.checks.items()
    }
    return _dump(document)


def _entry(check: Check, changed_at: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"status": check.status, "time": changed_at}
    if check.output:
        entry["output"] = check.output
    if check.observed is not None:
        entry["observedValue"] = check.observed
    if check.unit is not None:
        entry["observedUnit"] = check.unit
    return entry


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
