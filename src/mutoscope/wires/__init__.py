"""One file per vendor API. A new vendor is one file and one name in the list below."""

from mutoscope.wirekit.wire import Wire
from mutoscope.wires import dashscope, freepik, runway, runway_relay

ALL: tuple[Wire, ...] = (freepik.WIRE, dashscope.WIRE, runway_relay.WIRE, runway.WIRE)
"""Every wire, the narrower path roots first."""

BY_NAME: dict[str, Wire] = {wire.name: wire for wire in ALL}
