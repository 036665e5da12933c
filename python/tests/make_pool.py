"""python make_pool.py FOLDER: the tests' small pool at FOLDER/pool, for the scripts beside the tests."""

import os
import subprocess
import sys

from datasets import write_refer

from nemosaic._command import find_command

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
refer, images = write_refer(folder)
subprocess.run([*find_command(), "import", "refer", refer, "--images", images, "--pool", os.path.join(folder, "pool"), "--quiet"], check=True)
