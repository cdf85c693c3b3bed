"""What runs inside the environments of the others: a program each, which does the work that it is told line by line."""
