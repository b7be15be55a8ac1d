"""E-mail: one mailbox, read by IMAP and answered by SMTP.

`mime.py` takes a mail apart (with `charsets.py`, `headers.py`, `html_text.py`, `quotes.py`), `automatic.py` and
`bounces.py` say what wrote it, `reading.py` makes events of it, with the help of `threads.py`. `imap.py` and `smtp.py`
speak to the servers, `composing.py` writes a reply, `connector.py` is the connector. May be imported: `actors` and
`connectors.contract`, the standard library's `email` (imports are absolute), imap-tools, aiosmtplib.
"""
