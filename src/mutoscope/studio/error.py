"""The errors that studio raises on purpose."""


class StudioError(ValueError):
    """What was asked for cannot be made. The message is for whoever asked; `field` names their argument."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Killed(RuntimeError):
    """A command that worked for it was ended by a signal from outside: another try may go well."""
