from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import resource
from aispine.stack import open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 512))
print(open_files.allow(400), open_files.allow(), open_files.allow(100))
"""


def test_the_limit_is_raised_as_far_as_the_system_lets_it_and_never_lowered() -> None:
    ended = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=30, check=True)
    assert ended.stdout.split() == ["400", "512", "512"]
