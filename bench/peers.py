"""The tools that bench/compare_storage runs side by side, each with its own defaults.

A tool is given an empty folder to keep its store in. put() stores a file or a folder under a
label, get() brings what a label names back into an empty folder: both are what its users would
type. Where a tool must be told beforehand (a password, a repository), open() does that, and is
not measured.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[1]
VENV = ROOT / "build" / "bench-peers"


class Cost(NamedTuple):
    """What one command took. The peak of the server is 0 for tools that have none."""
    seconds: float
    cpu_seconds: float
    client_peak_mib: float
    server_peak_mib: float


def run(command, cwd=None, **environment):
    """Runs a command to its end and measures it and what it started and waited for."""
    # Its own child, for a child of ours would be said to need at least what we need.
    timed = ["/usr/bin/time", "--quiet", "--format", "%e %U %S %M"]
    done = subprocess.run([*timed, *map(str, command)], cwd=cwd, env={**os.environ, **environment},
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {done.returncode}\n"
                           f"{done.stderr[-2000:]}")
    seconds, user, system, peak_kib = map(float, done.stderr.splitlines()[-1].split())
    return Cost(seconds, user + system, peak_kib / 1024, 0.0)


class Tool:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def open(self):
        pass

    def close(self):
        pass

    def store(self):
        """The folder whose growth is what storing costs."""
        return self.folder / "store"


class Mendel(Tool):
    name = "mendel"
    needs = "a release build: ci/build release mendeld mendel"
    binaries = ROOT / "build" / "release" / "bin"

    @classmethod
    def version(cls):
        return output(cls.binaries / "mendel", "--version")

    def open(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.data = self.folder / "data"
        with open(self.folder / "mendeld.log", "wb") as log:
            self.server = subprocess.Popen(
                [self.binaries / "mendeld", "--data", self.data, "--listen", address],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.url = f"http://{address}"
        self.await_ready()
        self.environment = {"MENDEL_URL": self.url,
                            "MENDEL_TOKEN": (self.data / "admin-token").read_text().strip(),
                            "XDG_CONFIG_HOME": str(self.folder)}
        self.command("namespace", "create", "bench")

    def await_ready(self):
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=5).close()
                return
            except (urllib.error.URLError, ConnectionError) as error:
                if time.monotonic() > deadline or self.server.poll() is not None:
                    raise RuntimeError("mendeld is not ready: see "
                                       f"{self.folder / 'mendeld.log'}") from error
            time.sleep(0.05)

    def close(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait()

    def store(self):
        return self.data / "objects"

    def command(self, *words):
        before = self.server_cpu_seconds()
        cost = run([self.binaries / "mendel", *words], **self.environment)
        return cost._replace(
            cpu_seconds=cost.cpu_seconds + self.server_cpu_seconds() - before,
            server_peak_mib=self.server_peak_mib())

    def server_cpu_seconds(self):
        stat = pathlib.Path(f"/proc/{self.server.pid}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def server_peak_mib(self):
        for line in pathlib.Path(f"/proc/{self.server.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("mendeld has no VmHWM")

    def put(self, path, label):
        return self.command("push", "dataset", "bench/data", path, "--alias", label)

    def get(self, label, target):
        return self.command("pull", f"bench/data@{label}", "--to", target)


class Restic(Tool):
    name = "restic"
    needs = "restic"

    @classmethod
    def version(cls):
        return output("restic", "version").split(" compiled")[0]

    def command(self, *words, cwd=None):
        return run(["restic", "--quiet", "--repo", self.store(), *words], cwd=cwd,
                   RESTIC_PASSWORD="bench", RESTIC_CACHE_DIR=str(self.folder / "cache"))

    def open(self):
        self.command("init", "--repository-version", "2")

    def put(self, path, label):
        return self.command("backup", "--tag", label, path.name, cwd=path.parent)

    def get(self, label, target):
        return self.command("restore", "latest", "--tag", label, "--target", target)


class Borg(Tool):
    name = "borg"
    needs = "borgbackup"

    @classmethod
    def version(cls):
        return output("borg", "--version")

    def command(self, *words, cwd=None):
        return run(["borg", *words], cwd=cwd, BORG_BASE_DIR=str(self.folder / "home"),
                   BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes")

    def open(self):
        self.command("init", "--encryption", "none", self.store())

    def put(self, path, label):
        return self.command("create", f"{self.store()}::{label}", path.name, cwd=path.parent)

    def get(self, label, target):
        return self.command("extract", f"{self.store()}::{label}", cwd=target)


class Casync(Tool):
    name = "casync"
    needs = "casync"

    @classmethod
    def version(cls):
        return output("casync", "--version").splitlines()[0]

    def index(self, label):
        (index,) = self.folder.glob(f"{label}.ca*")
        return index

    def put(self, path, label):
        kind = "caidx" if path.is_dir() else "caibx"
        return run(["casync", "make", f"--store={self.store()}",
                    self.folder / f"{label}.{kind}", path])

    def get(self, label, target):
        return run(["casync", "extract", f"--store={self.store()}", self.index(label),
                    target / "out"])


class HfXet(Tool):
    name = "hf-xet"
    needs = "the Python package hf-xet"
    python = VENV / "bin" / "python"

    PUT = """
import hf_xet, json, pathlib, sys
path, store, index = map(pathlib.Path, sys.argv[1:])
files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
done = hf_xet.upload_files([str(f) for f in files], f"local://{store}", None, None, None, "model")
index.write_text(json.dumps([[f.relative_to(path.parent).as_posix(), d.hash, d.file_size]
                             for f, d in zip(files, done)]))
"""
    GET = """
import hf_xet, json, pathlib, sys
index, store, target = map(pathlib.Path, sys.argv[1:])
wanted = []
for name, digest, size in json.loads(index.read_text()):
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    wanted.append(hf_xet.PyXetDownloadInfo(destination_path=str(target / name), hash=digest,
                                           file_size=size))
hf_xet.download_files(wanted, f"local://{store}", None, None, None)
"""

    @classmethod
    def version(cls):
        return "hf-xet " + output(cls.python, "-c", "import importlib.metadata as m; "
                                  "print(m.version('hf-xet'))")

    def command(self, *words):
        return run([self.python, "-W", "ignore", "-c", *words],
                   HF_HOME=str(self.folder / "home"), HOME=str(self.folder / "home"))

    def put(self, path, label):
        return self.command(self.PUT, path, self.store(), self.folder / label)

    def get(self, label, target):
        return self.command(self.GET, self.folder / label, self.store(), target)


class Dvc(Tool):
    name = "dvc"
    needs = "the Python package dvc"
    program = VENV / "bin" / "dvc"

    @classmethod
    def version(cls):
        return "dvc " + output(cls.program, "--version")

    def command(self, *words):
        return run([self.program, *words], cwd=self.folder / "work", DVC_NO_ANALYTICS="1",
                   HOME=str(self.folder / "home"), DVC_SITE_CACHE_DIR=str(self.folder / "site"))

    def open(self):
        (self.folder / "work").mkdir()
        self.command("init", "--no-scm", "--quiet")
        self.command("cache", "dir", str(self.store()))

    def put(self, path, label):
        """dvc adds what lies in its work folder, and moves it into its cache: it gets a copy."""
        copy = self.folder / "work" / label / path.name
        copy.parent.mkdir()
        if path.is_dir():
            shutil.copytree(path, copy)
        else:
            shutil.copyfile(path, copy)
        cost = self.command("add", "--quiet", copy.relative_to(self.folder / "work"))
        remove(copy)
        return cost

    def get(self, label, target):
        cost = self.command("checkout", "--quiet",
                            *sorted((self.folder / "work" / label).glob("*.dvc")))
        for entry in (self.folder / "work" / label).iterdir():
            if entry.suffix != ".dvc":
                shutil.move(entry, target / entry.name)
        return cost


TOOLS = {tool.name: tool for tool in (Mendel, HfXet, Casync, Restic, Borg, Dvc)}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL).stdout.strip()


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def install():
    """From Debian and, into a virtual environment below build/, from Python's packages."""
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y",
                    "install", "--no-install-recommends", "restic", "borgbackup", "casync",
                    "openssl", "python3-venv", "time"], check=True, stdin=subprocess.DEVNULL)
    subprocess.run(["python3", "-m", "venv", VENV], check=True)
    subprocess.run([VENV / "bin" / "pip", "--quiet", "install", "dvc", "hf-xet"], check=True)
