"""What `weir doctor` looks at, one file per part; each check gives findings that say what is wrong and how to mend it.

`examine.py` lists the checks in order. A check reads; it changes nothing, and it never shows a secret.
"""
