"""What the settings wish of cassettes: one recorder and one library for the whole process, a deck for each account."""

from collections.abc import Collection
from pathlib import Path

from msgspec.structs import replace

from mutoscope.cassettes.deck import Deck
from mutoscope.cassettes.folder import LOCAL, BadCassette
from mutoscope.cassettes.library import Library
from mutoscope.cassettes.recorder import Recorder
from mutoscope.model.config import BadSettings, Settings, VendorAccount


class Tapes:
    """The recordings that are made and played, and the settings as they are with them."""

    def __init__(self, settings: Settings, *, reserved: Collection[str] = ()) -> None:
        """`reserved` are names that no account may have. Raises BadSettings."""
        self.cassettes, self.reserved = (wanted := settings.cassettes), reserved
        self.library = opened(Path(wanted.replay)) if wanted.replay else None
        asks = not wanted.replay or wanted.unknown in ("vendor", "once")
        root = (wanted.record or wanted.replay) if asks else ""
        secrets = [settings.webhooks.secret, settings.metrics.token, *(each.key for each in settings.accounts.values())]
        self.recorder = (
            Recorder(
                Path(root),
                secrets=list(filter(None, secrets)),
                hash_prompts=wanted.prompts == "hashed",
                max_bytes=wanted.max_bytes,
            )
            if root
            else None
        )
        self.last = ("studio",) if wanted.replay and wanted.unknown == "studio" else ()
        for name in wanted.accounts:
            if name not in settings.accounts:
                known = ", ".join(settings.accounts) or "none"
                raise BadSettings(f"[cassettes] accounts: there is no account {name!r}; there are {known}")
        self.settings = self._with_accounts(settings) if self.library else settings

    def deck(self, name: str, account: VendorAccount, vendor: str) -> Deck | None:
        wanted = self.cassettes
        if not (self.library or self.recorder) or (wanted.accounts and name not in wanted.accounts):
            return None
        return Deck(
            name,
            account,
            vendor=vendor,
            recorder=self.recorder,
            library=self.library,
            pace=wanted.pace,
            learns=wanted.unknown == "once",
            alone=wanted.asks_nobody,
        )

    async def close(self) -> None:
        if self.recorder:
            await self.recorder.close()

    def _with_accounts(self, settings: Settings) -> Settings:
        """With those of the recordings whose API no account speaks here, and polls that lose no time."""
        wanted, accounts = self.cassettes, dict(settings.accounts)
        spoken = {each.wire for each in accounts.values()}
        for each in self.library.names.values() if self.library and wanted.asks_nobody else ():
            label = each.label
            if (
                label.wire not in (*spoken, LOCAL)
                and label.account not in accounts
                and label.account not in self.reserved
            ):
                accounts[label.account] = VendorAccount(
                    wire=label.wire,
                    key="replayed",
                    base_url=label.vendor,
                    models=label.models,
                    renames=label.renames,
                    open_models=label.open_models,
                )
        relay = settings.relay
        if wanted.asks_nobody:
            longest = relay.first_poll_seconds * wanted.pace if wanted.pace else REPLAYED_POLL_SECONDS[0]
            first = min(relay.first_poll_seconds, max(longest, REPLAYED_POLL_SECONDS[0]))
            relay = replace(relay, first_poll_seconds=first, max_poll_seconds=max(first, REPLAYED_POLL_SECONDS[1]))
        return replace(settings, accounts=accounts, relay=relay)


REPLAYED_POLL_SECONDS = (0.02, 0.5)  # a recording is asked about a job: the first time, and at the longest


def opened(root: Path) -> Library:
    """Raises BadSettings."""
    if not root.is_dir():
        raise BadSettings(f"[cassettes] replay: there is no directory {root}")
    try:
        return Library(root)
    except BadCassette as error:
        raise BadSettings(f"[cassettes] replay: {error}") from error
