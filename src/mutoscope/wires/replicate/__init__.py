"""Replicate: predictions of models whose `input` is their own (`models.py`), and the rest of its API (`api.py`)."""
