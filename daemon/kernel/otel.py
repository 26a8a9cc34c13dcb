"""Spans for OpenTelemetry, over HTTP in OTLP. Imported only when an end-point is configured; the extra is optional.

Our trace id is the OpenTelemetry trace id: what `marquee trace` prints and what a tracing system draws is one thing.
A span that goes on with a stored id (a queue message, say) begins a new branch of that trace without a parent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span, StatusCode, Tracer, get_current_span

from daemon.core.limits import OTEL_SEND_S, OTEL_SPANS_MAX
from daemon.kernel.logs import redact
from daemon.kernel.trace import current_trace_id, name_of, record_with

_PATH = "/v1/traces"


class _Ids(RandomIdGenerator):
    def generate_trace_id(self) -> int:
        return _number(current_trace_id()) or super().generate_trace_id()


class _Recorder:
    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def __call__(self, name: str, trace_id: str, attributes: Mapping[str, object]) -> Iterator[None]:
        """A span around the block."""
        # A task that was begun within one trace may have taken up another.
        is_same = get_current_span().get_span_context().trace_id == _number(trace_id)
        with (
            self._tracer.start_as_current_span(
                name,
                context=None if is_same else Context(),
                attributes={name: _value(value) for name, value in attributes.items()},
                record_exception=False,
                set_status_on_exception=False,
            ) as span,
            _Judged(span),
        ):
            yield


class _Judged:
    """Marks the span of a block that raised. Only the type of the error is told: its text could hold anything."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> None:
        """Nothing to say yet."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._span.set_status(StatusCode.ERROR, kind.__name__)


def start(endpoint: str, about: Mapping[str, str]) -> Callable[[], None]:
    """Send every span to `endpoint`, the base URL of a collector, in the background; what it cannot take is dropped.

    `about` describes the process ("service.version"). Call what is returned to send the rest and end; it blocks.
    """
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.removesuffix(_PATH)}{_PATH}", timeout=OTEL_SEND_S)
    provider = TracerProvider(
        resource=Resource.create({"service.name": "marquee", **about}), id_generator=_Ids(), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=OTEL_SPANS_MAX))
    record_with(_Recorder(provider.get_tracer("marquee")))

    def stop() -> None:
        record_with(None)
        provider.shutdown()

    return stop


def _number(trace_id: str) -> int:
    """0 for what is no trace id."""
    try:
        return int(trace_id, 16) if len(trace_id) == 32 else 0
    except ValueError:
        return 0


def _value(given: object) -> str | int | float:
    if isinstance(given, int | float):
        return given
    return redact(name_of(given) if callable(given) else str(given))
