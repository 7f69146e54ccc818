"""A Slurm of one node on this machine: its daemons, its files and its ports are its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
# Debian keeps them where only root's PATH leads.
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])

CONFIG = """
ClusterName=daclass
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
AuthType=auth/munge
# A job that is queued again waits for the lifetime of its old credential: two minutes by default.
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
PlugStackConfig=/dev/null
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# More processors than a small machine has, so that jobs that are held leave some to others.
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=8000
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """What this machine lacks for a Slurm of its own."""
    lacking = [name for name in DAEMONS if not shutil.which(name, path=PATH)]
    return lacking + (["root"] if os.geteuid() else [])


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def slurm() -> Iterator[dict[str, str]]:
    """The environment in which Slurm's commands talk to a cluster that lives as long as the block.

    Its folder is not below pytest's, which is closed to the user that munge runs as.
    """
    host = socket.gethostname().split(".")[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="daclass-slurm-")))
        folder.chmod(0o755)
        for name in ("munge", "state", "spool"):
            (folder / name).mkdir(mode=0o755)
        shutil.chown(folder / "munge", "munge")
        key = folder / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        shutil.chown(key, "munge")
        config = folder / "slurm.conf"
        config.write_text(CONFIG.format(host=host, folder=folder, ports=free_ports(2)))
        # Snakemake's job steps call srun without any SLURM_ variable, this one included.
        srun = folder / "bin" / "srun"
        srun.parent.mkdir()
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={config} exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(srun.parent), PATH]),
            "SLURM_CONF": str(config),
        }

        def daemon(*command: str) -> None:
            with (folder / f"{command[0]}.out").open("w") as output:
                process = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "TERM", *command],  # a killed pytest leaves none
                    env=environment,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    user="munge" if command[0] == "munged" else None,
                )
            stack.callback(_end, process)

        own = folder / "munge"
        daemon(
            "munged", "--foreground", f"--key-file={key}", f"--socket={own}/socket",
            f"--log-file={own}/log", f"--pid-file={own}/pid", f"--seed-file={own}/seed",
        )  # fmt: skip
        _wait_for(lambda: (own / "socket").exists(), "munged", folder)
        daemon("slurmctld", "-D", "-c")
        daemon("slurmd", "-D", "-c")
        _wait_for(lambda: "idle" in _ask(environment, "sinfo", "-h", "-o", "%T"), "slurmd", folder)
        stack.callback(_cancel_all, environment)
        yield environment


def _ask(environment: dict[str, str], *command: str) -> str:
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return answer.stdout


def _cancel_all(environment: dict[str, str]) -> None:
    """End all jobs, so that none outlives the daemons."""
    _ask(environment, "scancel", "--signal=KILL", "--full", "--user=root")
    _ask(environment, "scancel", "--user=root")
    end = time.monotonic() + 30
    while _ask(environment, "squeue", "-h") and time.monotonic() < end:
        time.sleep(0.2)


def _wait_for(condition, what: str, folder: Path) -> None:
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            logs = [*folder.glob("*.log"), *folder.glob("*.out"), folder / "munge" / "log"]
            tails = (f"{log.name}:\n{log.read_text()[-2000:]}" for log in logs if log.is_file())
            raise RuntimeError(f"{what} does not come up\n" + "\n".join(tails))
        time.sleep(0.1)


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
