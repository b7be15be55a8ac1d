"""A bound channel: its binding and secrets, its authorisation, how it stands, the way to its platform."""
