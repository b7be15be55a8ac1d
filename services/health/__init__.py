"""How messages and Weir itself are: the monitor, incidents, figures, a message's trace, the watchdog, signs of life."""
