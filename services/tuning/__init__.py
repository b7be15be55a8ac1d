"""Thresholds: their versions, who follows them, and what other ones would have found."""
