"""The run, and the same folder as a checkout with CRLF line ends has it."""

import shutil
import subprocess
import sys
from pathlib import Path

subprocess.run([sys.executable, "-m", "harness", "run", "x.yaml", "--out", "OUT"], check=False)
shutil.copytree("OUT", "crlf")
shutil.rmtree("crlf/.work")
for path in Path("crlf").rglob("*"):
    if path.suffix in (".csv", ".json", ".jsonl", ".yaml", ".md"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
