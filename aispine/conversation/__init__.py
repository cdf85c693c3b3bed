"""What people say to flows: a message starts one, or goes to the one that the person talks to; never both."""
