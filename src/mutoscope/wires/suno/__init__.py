"""Suno, as resellers have it: the relay protocol of the Suno-API project."""
