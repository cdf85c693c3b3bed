"""Tools: single calls over HTTP that flows and models make, described by schemas."""
