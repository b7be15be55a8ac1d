"""What was missed is found and fetched: every channel is compared with its platform, by itself and by hand."""
