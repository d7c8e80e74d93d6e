"""A signal that comes when the command is through: the exit code that was decided stands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

WAITS = """
import atexit, signal, sys, threading, time

def held():
    while signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        time.sleep(.01)
    print("through", flush=True)
    time.sleep({seconds})

from corpus_pipeline.cli import main
{when}
sys.argv = ["corpus", "--version"]
main()
"""
IN_A_THREAD = "threading.Thread(target=held).start()"
AT_THE_LAST = "atexit.register(held)"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("when", "seconds"), [(IN_A_THREAD, 60), (AT_THE_LAST, 0.5)], ids=["threads", "last steps"])
def test_a_signal_at_the_end_changes_no_exit_code(when: str, seconds: float, number: signal.Signals):
    command = [sys.executable, "-c", WAITS.format(when=when, seconds=seconds)]
    process = subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while process.stdout.readline() != "through\n":
        assert process.poll() is None
    process.send_signal(number)
    assert (process.wait(30), process.communicate()[1]) == (0, "")


PRESSED_AGAIN = """
import sys
from corpus_pipeline import cli

def pressed(*_, **__):
    raise KeyboardInterrupt

cli.cli.main = cli.error = pressed
sys.argv = ["corpus", "status"]
cli.main()
"""


def test_a_second_ctrl_c_while_the_first_is_told_is_an_interruption():
    done = subprocess.run([sys.executable, "-c", PRESSED_AGAIN], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "")
