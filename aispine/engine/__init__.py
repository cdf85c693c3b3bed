"""SQL decides, canvas carries: the only code that changes an execution.

`decide` says what follows from what (pure), `advance` reads, decides and writes in one transaction, `canvas` turns
what became ready into Celery messages, `run` executes one message, `recover` finds what was lost.
"""
