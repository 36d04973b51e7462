"""Which vendor a request is for, where several have the same path: the evidence, first match first.

What a path's literals, the Host header (`[server] hosts`) and the id of a task tell comes before this table or needs no
row here; what no row claims goes to the first of `[server] wires`.
"""

from mutoscope.wirekit.wire import Claim

CLAIMS: tuple[Claim, ...] = ()
