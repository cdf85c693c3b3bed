"""Events: the immutable facts of an execution's log, how they are read, followed and announced."""
