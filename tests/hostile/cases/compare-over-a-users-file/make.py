"""The run that is compared with itself."""

import subprocess
import sys

subprocess.run([sys.executable, "-m", "harness", "run", "x.yaml", "--out", "OUT"], check=False)
