"""Wan, by its maker's words and those of others that sell it."""

from typing import Any

from mutoscope.model.catalog import Model, Rates, a_second, nominal, row
from mutoscope.model.job import Operation

I2V, T2V, MORE = Operation.IMAGE_TO_VIDEO, Operation.TEXT_TO_VIDEO, Operation.VIDEO_EXTENSION
WAN: dict[str, Any] = {"resolution": "1080p", "seconds": 5.0, "fps": 30}
SECOND_HAND = "third parties' planning figure; the vendor publishes none"
WAN_PRICE = nominal("resellers' figure; the vendor's page was not read", second=15, tiers={"720p": Rates(second=10)})

# fmt: off
ROWS: tuple[Model, ...] = (
    row("wan-2.7", "alibaba", I2V, T2V, MORE, price=WAN_PRICE, defaults=WAN, max_seconds=15,
        prices={"freepik": nominal(SECOND_HAND, second=4)},
        names={"freepik": ("image-to-video/wan-2-7", "text-to-video/wan-2-7"),
               "dashscope": ("wan2.7-i2v", "wan2.7-t2v")}),
    # The vendor's older ones
    row("wan-2.6", "alibaba", I2V, T2V, price=WAN_PRICE, defaults=WAN, max_seconds=15,
        names={"dashscope": ("wan2.6-i2v", "wan2.6-t2v")}),
    row("wan-2.2-kf2v", "alibaba", I2V, price=a_second(3), defaults=WAN | {"resolution": "720p"}, max_seconds=5,
        names={"dashscope": ("wan2.2-kf2v-flash",)}),
)
# fmt: on
