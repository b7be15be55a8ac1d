"""One module per platform, theirs to ours: what its webhook asks, whether it is genuine, which events it tells of.

`registry.CONNECTORS` lists them; `contract` is what each must be and the parts they share. May import actors only.
To add one, see docs/adding-a-connector.md.
"""
