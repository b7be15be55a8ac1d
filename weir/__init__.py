"""Weir: composition root. Command line, configuration, wiring; the only place where concrete parts meet."""
