"""`python -m benchmarks.chaos.worker NAME`: a worker of the product, after the campaign has laid hands on it."""

from __future__ import annotations

import atexit
import os

from benchmarks.chaos import killer, messages, mutants
from workers.__main__ import main

if __name__ == "__main__":
    mutants.install(os.environ.get("CHAOS_MUTANT"))
    messages.install()
    killer.install()
    code = main()
    atexit._run_exitfuncs()  # noqa: SLF001 - as the product's own entry does it.
    os._exit(code)
