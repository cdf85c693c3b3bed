"""The REST API: parses, calls one use case of the core, and presents."""
