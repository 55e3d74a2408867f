"""MLflow's tracking server over a PostgreSQL of its own, as compare_tracking measures it."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import load

VERSION = "3.17.2"
POSTGRES = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def install(environment):
    """Into a virtual environment, which is kept for the next time."""
    if not (environment / "bin" / "mlflow").exists():
        subprocess.run(["python3", "-m", "venv", environment], check=True)
        subprocess.run([environment / "bin" / "pip", "-q", "install", f"mlflow=={VERSION}",
                        "psycopg2-binary", "gunicorn"], check=True)


class Mlflow:
    def __init__(self, environment, parent, workers):
        self.programs = environment / "bin"
        self.folder = load.scratch_folder(parent)
        self.workers = workers

    def version(self):
        return load.peers.output(self.programs / "mlflow", "--version")

    def __enter__(self):
        self.start_postgres()
        port = load.free_port()
        self.url = f"http://127.0.0.1:{port}"
        store = f"postgresql+psycopg2://postgres@/postgres?host={self.folder}"
        self.log = open(self.folder / "log", "wb")
        self.server = subprocess.Popen(
            [self.programs / "mlflow", "server", "--backend-store-uri", store,
             "--default-artifact-root", self.folder / "artifacts", "--host", "127.0.0.1",
             "--port", str(port), "--workers", str(self.workers), "--gunicorn-opts",
             "--worker-class sync"],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, start_new_session=True,
            env=os.environ | {"PATH": f"{self.programs}:{os.environ['PATH']}"})
        self.await_ready()
        return self

    def start_postgres(self):
        """With its defaults, on a socket alone."""
        data = self.folder / "postgres"
        self.as_postgres = (["setpriv", "--reuid", "postgres", "--regid", "postgres",
                             "--clear-groups"] if os.geteuid() == 0 else [])
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.postgres("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8",
                      "-E", "UTF8")
        self.postgres("pg_ctl", "-D", data, "-w", "-l", self.folder / "postgres.log", "-o",
                      f"-c listen_addresses='' -c unix_socket_directories={self.folder}", "start")

    def postgres(self, program, *arguments):
        subprocess.run([*self.as_postgres, POSTGRES / program, *arguments], check=True, cwd="/",
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def execute(self, statements):
        subprocess.run([*self.as_postgres, POSTGRES / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-h",
                        self.folder, "-U", "postgres", "postgres"], input=statements, text=True,
                       check=True, cwd="/", stdout=subprocess.DEVNULL)

    def await_ready(self):
        deadline = time.monotonic() + 180
        while True:
            try:
                urllib.request.urlopen(self.url + "/health", timeout=5).close()
                return
            except OSError as error:
                if time.monotonic() > deadline or self.server.poll() is not None:
                    raise RuntimeError(f"mlflow is not ready: see {self.folder}/log") from error
            time.sleep(0.2)

    def signal(self, number):
        os.killpg(self.server.pid, number)

    def request(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + "/api/2.0/mlflow/" + path, method=method,
            data=body and json.dumps(body).encode(), headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())

    def memory_mib(self):
        """Of all its processes, PostgreSQL's apart."""
        group = os.getpgid(self.server.pid)
        pages = 0
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.getpgid(int(process.name)) == group:
                    pages += int((process / "statm").read_text().split()[1])
            except (ProcessLookupError, FileNotFoundError):
                continue
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def __exit__(self, *failure):
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        self.server.wait()
        self.log.close()
        self.postgres("pg_ctl", "-D", self.folder / "postgres", "-m", "fast", "stop")
        shutil.rmtree(self.folder)
