"""One file per vendor API. A new vendor is one file and one name in the list below."""

from mutoscope.wirekit.wire import Wire
from mutoscope.wires.dashscope import api as dashscope
from mutoscope.wires.freepik import api as freepik
from mutoscope.wires.runway import api as runway
from mutoscope.wires.runway import reseller

ALL: tuple[Wire, ...] = (freepik.WIRE, dashscope.WIRE, reseller.WIRE, runway.WIRE)
"""Every wire, the narrower path roots first."""

BY_NAME: dict[str, Wire] = {wire.name: wire for wire in ALL}
