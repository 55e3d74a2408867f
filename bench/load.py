"""What the load benchmarks share: Mendel and nginx beside each other, wrk in front of them, and
the circumstances that belong to every figure."""

import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import NamedTuple

import peers

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = ["wrk", "nginx-light"]


def install():
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y",
                    "install", "--no-install-recommends", *PACKAGES],
                   check=True, stdin=subprocess.DEVNULL)


def scratch_folder(parent):
    """A new folder that PostgreSQL, as another user, may enter."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mendel-bench.", dir=parent))
    folder.chmod(0o755)
    return folder


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Answer(NamedTuple):
    status: int
    headers: dict
    body: bytes


class Mendel(peers.Mendel):
    """A server with the namespace "bench", for requests by the administrator."""

    def __enter__(self):
        self.open()
        self.token = self.environment["MENDEL_TOKEN"]
        return self

    def __exit__(self, *failure):
        self.signal(signal.SIGCONT)
        self.close()
        shutil.rmtree(self.folder)

    def signal(self, number):
        self.server.send_signal(number)

    def request(self, method, path, body=None):
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        request = urllib.request.Request(self.url + path, method=method, data=data)
        request.add_header("Authorization", "Bearer " + self.token)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read())

    def execute(self, statements):
        """In the private PostgreSQL, as the user that it runs as."""
        self.psql(statements)

    def ask_database(self, statement):
        """The only value of its only row."""
        return self.psql(statement, "-At").strip()

    def psql(self, statements, *options):
        run = self.data / "run"
        command = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(run), "-U", "mendel", *options,
                   "mendel"]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid", str(run.stat().st_uid), "--clear-groups", *command]
        return subprocess.run(command, input=statements, text=True, check=True, cwd="/",
                              stdout=subprocess.PIPE).stdout


class Nginx:
    """Serves the files of a folder, set up for speed: sendfile, open files kept, no log."""

    CONFIGURATION = """
daemon off; worker_processes auto; pid {folder}/pid; error_log {folder}/log warn; {user}
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  open_file_cache max=100; open_file_cache_valid 60s;
  types {{ application/json json; }} default_type application/octet-stream;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} reuseport backlog=1024; root {folder}/files; }}
}}
"""

    def __init__(self, parent):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nginx.", dir=parent))
        self.files = self.folder / "files"
        self.files.mkdir()

    def __enter__(self):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        configuration = self.folder / "nginx.conf"
        configuration.write_text(self.CONFIGURATION.format(
            folder=self.folder, port=port, user="user root;" if os.geteuid() == 0 else ""))
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-c", configuration],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await_port(port)
        return self

    def __exit__(self, *failure):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.folder)


def await_port(port):
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)


class Load(NamedTuple):
    """What wrk saw."""
    requests: int
    seconds: float
    bytes: int
    p50_ms: float
    p99_ms: float
    refused: int  # answers that were no 2xx or 3xx, and connections that broke

    @property
    def requests_per_second(self):
        return self.requests / self.seconds

    @property
    def bytes_per_second(self):
        return self.bytes / self.seconds


def wrk_threads(connections):
    return min(connections, os.cpu_count())


def wrk(url, connections, seconds, token=None, script="report.lua", arguments=()):
    command = ["wrk", "--threads", str(wrk_threads(connections)), "--connections",
               str(connections), "--duration", f"{seconds}s", "--timeout", "30s",
               "--script", str(HERE / script)]
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    done = subprocess.run([*command, url, "--", *map(str, arguments)], check=True,
                          capture_output=True, text=True, cwd=HERE, stdin=subprocess.DEVNULL)
    report = json.loads(re.search(r"^report (.*)$", done.stdout, re.MULTILINE)[1])
    return Load(report["requests"], report["duration_us"] / 1e6, report["bytes"],
                report["p50_us"] / 1e3, report["p99_us"] / 1e3, report["refused"])


def median(loads, figure):
    return statistics.median(figure(load) for load in loads)


def print_circumstances(parameters):
    model = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), platform.machine())
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    commit = peers.output("git", "-C", peers.ROOT, "describe", "--always", "--dirty")
    print(f"- machine: {os.cpu_count()} × {model}, {memory_gib:.0f} GiB, "
          f"load {os.getloadavg()[0]:.1f} before the first run")
    print(f"- commit: {commit}; {', '.join(versions())}")
    print(f"- parameters: {parameters}\n")


def versions():
    wrk_version = subprocess.run(["wrk", "-v"], capture_output=True, text=True,
                                 check=False).stdout.split(" [")[0]
    nginx_version = subprocess.run(["/usr/sbin/nginx", "-v"], capture_output=True, text=True,
                                   check=False).stderr.strip().rpartition("/")[2]
    return [peers.Mendel.version(), f"nginx {nginx_version}", wrk_version]


def print_table(columns, rows):
    print("| " + " | ".join(columns) + " |")
    print("| --- |" + " ---: |" * (len(columns) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()
