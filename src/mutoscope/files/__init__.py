"""Bytes: kept, fetched, looked into, signed. What touches the network or a file of somebody else's stands here."""
