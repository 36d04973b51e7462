"""Loops that run beside the requests: making, polling, delivering, retaining, erasing."""
