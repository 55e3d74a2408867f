#!/usr/bin/env python3
"""git over HTTP on a free port of the loopback, for tests: git's own http-backend behind
Python's http.server. Repositories are the bare ones below a directory; those who may push are
all who can reach it.

    with git_http.GitServer(directory) as server:
        server.url("train")      # http://127.0.0.1:PORT/train.git

As a program, for tests in C++: `git_http.py DIRECTORY` prints the port and serves until its
standard input ends.
"""

import gzip
import http.server
import os
import pathlib
import subprocess
import sys
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.answer(body)

    def answer(self, body):
        server = self.server.owner
        server.requests.append(f"{self.command} {self.path}")
        path, _, query = self.path.partition("?")
        if path.startswith("/redirect/"):
            self.send_response(302)
            self.send_header("Location", path.removeprefix("/redirect") + "?" + query)
            self.end_headers()
            return
        if path.startswith("/private/"):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        if path.startswith("/stalled/"):
            time.sleep(server.stall_seconds)
            return
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(server.root),
            "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
            "REQUEST_METHOD": self.command, "REMOTE_USER": "tester", "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
            "GIT_CONFIG_KEY_1": "uploadpack.allowFilter", "GIT_CONFIG_VALUE_1": "true"}
        done = subprocess.run(["git", "http-backend"], input=body, env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n") if line]
        status = dict(fields).get("Status", "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in fields:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class GitServer:
    def __init__(self, root, stall_seconds=300):
        self.root = pathlib.Path(root)
        self.stall_seconds = stall_seconds
        self.requests = []
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.block_on_close = False
        self.http.owner = self
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()

    def url(self, name):
        return f"http://127.0.0.1:{self.port}/{name}.git"

    def create(self, name):
        """A bare repository that takes pushes; its directory."""
        directory = self.root / f"{name}.git"
        git("init", "--quiet", "--bare", "-b", "main", directory)
        git("-C", directory, "config", "http.receivepack", "true")
        return directory


def git(*arguments, directory=None):
    """What git prints; it knows no configuration of this machine."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
                    "GIT_AUTHOR_NAME": "Tester", "GIT_AUTHOR_EMAIL": "tester@example.org",
                    "GIT_COMMITTER_NAME": "Tester",
                    "GIT_COMMITTER_EMAIL": "tester@example.org", "no_proxy": "*"}
    return subprocess.run(["git", *map(str, arguments)], cwd=directory, env=environment,
                          check=True, capture_output=True, text=True).stdout.strip()


class WorkTree:
    """A clone with something to commit."""

    def __init__(self, directory, url=None):
        self.directory = pathlib.Path(directory)
        git("init", "--quiet", "-b", "main", self.directory)
        if url:
            self.git("remote", "add", "origin", url)

    def git(self, *arguments):
        return git(*arguments, directory=self.directory)

    def commit(self, files, message="change"):
        """Writes and commits files ({path: text}); the new commit."""
        for path, text in files.items():
            target = self.directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


if __name__ == "__main__":
    with GitServer(sys.argv[1]) as serving:
        print(serving.port, flush=True)
        sys.stdin.read()
