"""Trained models that run on this machine: what they are, where their files lie, and the children that hold them.

What belongs here: a row for each model (`rows.py`), its files (`shelf.py`), the children (`pool.py`, `child.py`) and,
for each kind of model, what is done with it (`marks.py`, …), which only a child imports.
"""
