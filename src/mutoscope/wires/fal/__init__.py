"""fal: any model by its id, in a queue or at once (`api.py`), and those whose schema is known (`models.py`)."""
