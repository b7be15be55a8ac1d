"""What Messenger, Instagram and WhatsApp share: Meta's webhooks, its Graph API, and how a person gives access."""
