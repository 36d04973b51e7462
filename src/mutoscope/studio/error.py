"""The one error that studio raises on purpose."""


class StudioError(ValueError):
    """What was asked for cannot be made. The message is for whoever asked; `field` names their argument."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field
