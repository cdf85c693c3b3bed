"""The `aispine` command: parses, calls one use case or the API, and presents."""
