"""The REST API: a thin shell that reads a request, calls one use case of the core and presents what it returns."""
