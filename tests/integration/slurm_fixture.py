"""A real Slurm of one node, for tests: munged, slurmctld and slurmd on the loopback, all below one
directory, without a service that stays. Needs root and Debian's munge and slurm-wlm."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import mendel_fixture

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")
READY_SECONDS_MAX = 60


def is_there():
    path = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
    return os.geteuid() == 0 and all(shutil.which(name, path=path) for name in PROGRAMS)


CONFIGURATION = """
ClusterName=mendel
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={controller}
SlurmdPort={daemon}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket={root}/munge.sock
CredType=cred/munge
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1
KillWait=5
MinJobAge=3600
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="mendel-slurm-"))
        self.root.chmod(0o755)
        for name in ("state", "spool"):
            (self.root / name).mkdir()
        key = self.root / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        (self.root / "slurm.conf").write_text(CONFIGURATION.format(
            root=self.root, host=socket.gethostname().split(".")[0], cpus=os.cpu_count(),
            controller=mendel_fixture.free_port(), daemon=mendel_fixture.free_port()))
        self.environment = {
            "SLURM_CONF": str(self.root / "slurm.conf"),
            "PATH": os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"}
        self.start()

    def run(self, *command):
        return subprocess.run(command, env=os.environ | self.environment, check=True,
                              capture_output=True, text=True, cwd=self.root,
                              stdin=subprocess.DEVNULL).stdout

    def start(self):
        self.run("munged", "--key-file=munge.key", f"--socket={self.root}/munge.sock",
                 f"--pid-file={self.root}/munged.pid", f"--log-file={self.root}/munged.log",
                 f"--seed-file={self.root}/munged.seed", "--force")
        self.run("slurmctld", "-f", "slurm.conf")
        self.run("slurmd", "-f", "slurm.conf")
        deadline = time.monotonic() + READY_SECONDS_MAX
        while "idle" not in self.state():
            if time.monotonic() > deadline:
                raise RuntimeError("Slurm did not start: " + self.state())
            time.sleep(0.2)

    def state(self):
        try:
            return self.run("sinfo", "-h", "-o", "%T")
        except subprocess.CalledProcessError as error:
            return error.stderr

    def remove(self):
        for name in ("slurmd", "slurmctld", "munged"):
            file = self.root / (name + ".pid")
            if file.exists():
                self.end(int(file.read_text()))
        shutil.rmtree(self.root, ignore_errors=True)

    @staticmethod
    def end(pid):
        try:
            os.kill(pid, signal.SIGTERM)
            for _ in range(100):
                os.kill(pid, 0)
                time.sleep(0.1)
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
