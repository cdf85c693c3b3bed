"""The campaign against loss: a stack of its own under faults, and a judge that counts what became of the work."""
