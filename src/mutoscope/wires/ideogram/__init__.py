"""Ideogram's API: pictures that answer at once, in four generations of paths."""
