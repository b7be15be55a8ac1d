"""Weir's own chat widget: visitors, their sockets, tokens and files."""
