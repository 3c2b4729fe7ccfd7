"""What nixdock is doing inside, for `--verbose`, `--debug` and `--log-json`; silent otherwise.

A module asks for its logger once, `log = get_logger(__name__)`, and tells it events with fields:
`log.debug("process.ended", status=0)`. Nothing is written, and structlog (which brings rich with it,
a tenth of a second) is not even imported, until `configure` is called. Every line goes to stderr.

What the *user* should read is not a log line: it is an event told to a listener (`nixdock.events`).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nixdock import out

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger, Processor

# As in `logging`, which takes a twentieth of a short command to import.
DEBUG: Final = 10
INFO: Final = 20
WARNING: Final = 30


@dataclass(slots=True)
class _Sink:
    """Where log lines go: nowhere until configured."""

    logger: FilteringBoundLogger | None = None


_sink = _Sink()


@dataclass(frozen=True, slots=True)
class Logger:
    """A named source of log lines; it may be made before, or without, any configuration."""

    name: str

    def debug(self, event: str, **fields: object) -> None:
        """Tell what only somebody who looks for a fault wants to know."""
        _write(DEBUG, self.name, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Tell a step of the work."""
        _write(INFO, self.name, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Tell what is not as it should be, though work goes on."""
        _write(WARNING, self.name, event, fields)


def get_logger(name: str) -> Logger:
    """Return the logger of a module, by its `__name__`."""
    return Logger(name)


def configure(level: int, *, as_json: bool = False) -> None:
    """Write log lines to stderr from now on.

    Args:
        level: The least level to write, of `DEBUG`, `INFO`, `WARNING`.
        as_json: One JSON object a line, for machines, instead of text.
    """
    import structlog  # noqa: PLC0415  # imported only by those who asked for a log

    render: Processor
    if as_json:
        render = structlog.processors.JSONRenderer(lambda fields, **_: out.form_json(fields))
    else:
        render = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            # What is text becomes safe before it gets colours, which are ours.
            *([] if as_json else [lambda _logger, _method, fields: out.clean_fields(fields)]),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_StderrLogger,
        cache_logger_on_first_use=False,
    )
    _sink.logger = structlog.get_logger()


class _StderrLogger:
    """Writes to whatever `sys.stderr` is at that moment: a progress display may stand in for it."""

    def __init__(self, *_arguments: Any) -> None:  # noqa: ANN401  # structlog passes the logger's own
        pass

    def msg(self, message: str) -> None:
        """Write one line."""
        out.tell_exactly(out.disarm(message))

    debug = info = warning = msg


def _write(level: int, name: str, event: str, fields: dict[str, object]) -> None:
    if _sink.logger is not None:
        _sink.logger.log(level, event, logger=name, **fields)
