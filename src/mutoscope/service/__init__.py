"""Decides what becomes of a request. It sees no HTTP and no SQL."""
