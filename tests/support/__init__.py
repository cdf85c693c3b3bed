"""What the tests share: polling, the servers and workers of a test session, flows run to their end, an HTTP agent."""
