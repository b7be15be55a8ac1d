"""One module per platform: verify, parse, send, backfill; theirs to ours and back. May import actors only."""
