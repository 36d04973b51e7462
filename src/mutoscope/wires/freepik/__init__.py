"""Freepik / Magnific."""
