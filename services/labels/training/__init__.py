"""Trains the label model from public data: `python -m services.labels.training DATA_FOLDER [--out FILE]`.

`samples.py` reads the texts and their labels, `fitting.py` fits the weights, `__main__.py` is the program. No library
is needed, and the same data give the same file, byte for byte.
"""
