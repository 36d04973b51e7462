"""Anthropic's models: rows for their names; what they cost goes by tokens."""

from mutoscope.model.catalog import Model, nominal, row
from mutoscope.model.job import Operation

NAMES = (
    *("claude-opus-4-6", "claude-sonnet-4-6", "claude-haiku-4-5", "claude-opus-4-1", "claude-sonnet-4-5"),
    *("claude-opus-4-20250514", "claude-sonnet-4-20250514", "claude-3-7-sonnet-latest", "claude-3-5-haiku-latest"),
)
ROWS: tuple[Model, ...] = tuple(
    row(name, "anthropic", Operation.TEXT_TO_TEXT, price=nominal("by tokens"), names={"anthropic": (name,)})
    for name in NAMES
)
