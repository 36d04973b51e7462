"""Settings for tests: a server that may reach loopback."""

import msgspec

from mutoscope.model.config import Settings

LOCAL = {"net": {"allow_private": True}}


def settings(**sections: object) -> Settings:
    """Settings that may reach loopback, with the given sections laid over."""
    return msgspec.convert({**LOCAL, **sections}, Settings)
