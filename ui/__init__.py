"""NiceGUI pages: they draw what services say and send commands back; they own no truth.

Nobody else knows NiceGUI. Add a page: one new file in ui/pages/ and one line in PAGES.
"""
