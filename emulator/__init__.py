"""An emulator of the platforms: their webhooks, their APIs, their buyers, and every trouble they can make.

It is written from the platforms' documentation and knows nothing of Weir, so that it checks what Weir makes of the same
pages.
"""
