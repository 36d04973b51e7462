"""Kling: the API whose models stand in the body (`api.py`), the newer one with the model in the path (`later.py`)."""
