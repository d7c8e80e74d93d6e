"""`corpus ui` ends, and nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from corpus_pipeline.cli.process_supervisor import descendants
from corpus_pipeline_tests.dagster.conftest import UI
from corpus_pipeline_tests.dagster.graphql import wait_for


def test_a_second_daemon_on_the_same_home_is_refused_with_the_address_of_the_first(own_ui: UI):
    command = [sys.executable, "-m", "corpus_pipeline", "ui", "--port", "1"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, env=dict(own_ui.environment))
    assert found.returncode == 2
    assert "runs already at http://127.0.0.1:" in found.stderr


def test_a_stop_drains_the_runs_and_leaves_no_process(own_ui: UI):
    name = own_ui.add("last", rows=200)
    own_ui.graphql.launch(name)
    wait_for(lambda: own_ui.stage(name, "augment")[1] >= 2, 120, "augmented rows")
    below = descendants(own_ui.process.pid)
    assert len(below) >= 4  # webserver, daemon, code server, run worker
    own_ui.process.send_signal(signal.SIGTERM)
    assert own_ui.process.wait(90) == 0
    assert [pid for pid in below if own_ui.alive(pid)] == []
    status, done = own_ui.stage(name, "augment")
    assert status == "interrupted" and 2 <= done < 200
    assert own_ui.calls(name) >= done


@pytest.mark.parametrize("signals", [1, 2])
def test_what_a_command_leaves_behind_is_ended(tmp_path, signals):
    """A child that starts a grandchild which outlives it, and one that ignores the first signal."""
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    meek = "import time; time.sleep(600)"
    program = (
        "import subprocess, sys\nfrom corpus_pipeline.cli.process_supervisor import supervise\n"
        f"inner = 'import subprocess, sys, time; print(subprocess.Popen([sys.executable, \"-c\", '"
        f"+ repr({stubborn if signals == 2 else meek!r}) + ']).pid, flush=True); time.sleep(600)'\n"
        "sys.exit(supervise([sys.executable, '-c', inner]))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    grandchild = int(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    if signals == 2:
        time.sleep(1.5)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(grandchild, 0)
