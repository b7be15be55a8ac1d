"""How what platforms tell comes in: webhooks, what they only point to, mailboxes; one way for all of it."""
