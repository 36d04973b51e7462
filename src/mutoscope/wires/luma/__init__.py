"""Luma: the Dream Machine API (`api.py`), and the older format of its resellers (`own.py`)."""
