"""A disk that fills while a service is dumped, imported, upgraded: full_disk.py, on a small file system."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """set -e
mount -t tmpfs -o size=700m,mode=0700 none "$0"
exec unshare --user --map-user="$1" --map-group="$2" -- "${@:3}"
"""


def test_on_a_small_file_system(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    inner = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "full_disk.py"]
    outer = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-c", SCRIPT, small, os.getuid(), os.getgid()]
    result = subprocess.run([str(word) for word in [*outer, *inner]], env=os.environ | {"TMPDIR": str(small)}, text=True,
                            cwd=Path(__file__).parent, timeout=300, capture_output=True)  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert "passed" in result.stdout and "skipped" not in result.stdout
