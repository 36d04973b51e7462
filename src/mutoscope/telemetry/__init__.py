"""Counters, traces and the log: what an operator watches. Nothing here decides anything."""
