import os
import subprocess
import sys

from tinynas.training.quiet import quiet


def test_what_c_code_writes_is_kept_off_and_comes_back_after(capfd):
    with quiet():
        os.write(1, b"noise\n")
        os.write(2, b"noise\n")
    os.write(1, b"result\n")
    os.write(2, b"news\n")
    assert capfd.readouterr() == ("result\n", "news\n")


def test_importing_tensorflow_says_nothing():
    code = "import tinynas.training.keras as k; k.configure(1); k.seed_everything(1); k.tf.constant(1.0) + 1"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
