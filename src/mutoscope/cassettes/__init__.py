"""Recordings of what vendors answered: written while they answer, found again by what was asked, and played.

What belongs here: the folder of files that a recording is, what of a request tells it from others, and the deck that an
engine asks in the vendor's place. Wires, jobs' states and clients are no business of it. Nothing is imported here,
because the process that writes needs little of it.
"""
