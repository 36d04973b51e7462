"""Recraft: pictures and drawings that are answered at once, and what is done to pictures."""
