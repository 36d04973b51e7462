"""Runway's own API, and the same as resellers serve it."""
