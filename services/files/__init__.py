"""Files that come with messages and that go with replies: fetched, checked, shrunk, kept, given out."""
