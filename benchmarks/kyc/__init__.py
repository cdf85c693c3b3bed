"""The identity check from the first message to the last answer, and webhooks under load."""
