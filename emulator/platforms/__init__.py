"""The platforms that are emulated, one file each, or one for those that are alike."""
