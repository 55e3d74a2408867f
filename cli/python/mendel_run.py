"""Record a training in Mendel from Python: one file, nothing but the standard library (3.6+).

    import mendel_run

    with mendel_run.start("lhcb/wgan", hyperparameters={"lr": 1e-3}, inputs=[
            {"role": "trained-on", "ref": "lhcb/calib-2016:3"}],
            keep="best:5:chi2_ndf:min,last:2") as run:
        for step in range(1000000):
            loss = train()
            run.log(step, loss=loss)
            if step % 1000 == 0:
                run.checkpoint(step, "weights/", metrics={"chi2_ndf": validate()})
        run.push("model", "lhcb/wgan", checkpoint="best:chi2_ndf:min", aliases=["staging"])

Under `mendel run exec -- python3 train.py` the run is there already: `mendel_run.attach()` joins
it, and leaves its end to `mendel`, which also records the commit with what was changed in it.

The server and the token are those of the command: arguments first, then MENDEL_URL and
MENDEL_TOKEN, then what `mendel login` remembers; MENDEL_CACERT names certificates to trust. A
token travels in clear to a server on another machine only with plain_http=True.

log() does not wait for the network: points are gathered in memory, and a thread sends them once a
second, or sooner when there are many. At most MAX_WAITING_POINTS wait; while the server is away
for so long that this does not suffice, the newest are lost, which is said on standard error and
counted in run.lost_points. What waits is sent by flush(), finish(), the end of a `with`, and when
the interpreter exits. All other methods wait for the server, and raise MendelError.

Without a network, journal="DIR" (or MENDEL_JOURNAL) records everything in that directory, safe
against a kill at any time, for `mendel send DIR`. It is the journal of `mendel run --journal`; its
format is described in cli/journal.cc and cli/journal_frame.cc.

Files of checkpoints and pushes are sent whole, unless the namespace has the same file already; the
server stores only what is new of them. Where the network is slow, `mendel run checkpoint` and
`mendel push`, which send only the pieces that are new, take the same MENDEL_RUN.

All functions may be called from several threads. In a child made by fork (a DataLoader's worker) a
run can be used as well: the child begins with nothing waiting, a connection and a thread of its
own. What a child logs is sent while it lives: call flush() before os._exit().

This file may be copied; it is used without the rest of Mendel.
"""

import atexit
import collections
import datetime
import errno
import fcntl
import hashlib
import http.client
import itertools
import json
import math
import os
import random
import re
import resource
import socket
import ssl
import stat
import struct
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid

__all__ = ["MendelError", "Run", "start", "attach", "push"]

FLUSH_SECONDS = 1.0
POINTS_PER_REQUEST = 1000
MAX_WAITING_POINTS = 200000
FINISH_SECONDS = 120.0
EXIT_SECONDS = 10.0
TIMEOUT_SECONDS = 60.0
STEP_MAX = 2 ** 53
_PIECE = 1 << 20


class MendelError(Exception):
    """What the server refused, or why it could not be asked.

    code is the last part of the problem's type ("not-found", "already-exists", "unavailable" where
    there was no answer), problem the document as it came (RFC 9457), status that of HTTP or None.
    """

    def __init__(self, message, code="failure", status=None, problem=None):
        Exception.__init__(self, message)
        self.code = code
        self.status = status
        self.problem = problem or {}

    @property
    def is_transient(self):
        """Whether the same request may well succeed a little later."""
        return self.code in ("unavailable", "resource-exhausted", "deadline-exceeded")


def start(name, namespace=None, hyperparameters=None, inputs=None, labels=None, message=None,
          keep=None, source="auto", heartbeat_seconds=60, journal=None, url=None, token=None,
          plain_http=False):
    """Starts a run, and returns it.

    name is "namespace/name", or a name alone beside namespace or MENDEL_NAMESPACE.
    hyperparameters is any JSON object; NaN, infinities and integers beyond 2**53 are refused with
    their place. inputs are dicts: {"role": "trained-on" | "validated-on" | "parent" |
    "environment", "ref": "lhcb/calib-2016:3"}, or "uri" and perhaps "digest" in place of "ref".
    keep says which checkpoints the server keeps ("best:5:chi2_ndf:min,last:2,every:100000").

    source is the git commit this was made from, a dict as in the HTTP interface; "auto" asks git
    about the current directory. It says whether the tree was changed, but does not take the
    changes along, as `mendel run exec` and `mendel run start` do. None: nothing is recorded.

    While the process lives it gives a sign of life every heartbeat_seconds (30 to 86400); a run
    that misses three is marked lost until the next. None: no heartbeats, and never lost.
    """
    recorder = _recorder(journal, url, token, plain_http)
    namespace, name = _split_name(name, namespace)
    body = {"id": _uuid7(), "namespace": namespace, "name": name, "started_at": _now()}
    if hyperparameters is not None:
        body["hyperparameters"] = _exact(hyperparameters, "hyperparameters")
    if inputs:
        body["inputs"] = [dict(entry) for entry in inputs]
    if labels:
        body["labels"] = {str(key): str(value) for key, value in labels.items()}
    if message:
        body["message"] = message
    if keep:
        body["keep"] = _checked_keep(keep)
    source = _git_source() if source == "auto" else source
    if source:
        body["source"] = source
    beats = heartbeat_seconds if recorder.is_live else None
    if beats:
        body["heartbeat_seconds"] = int(beats)
    recorder.start(body)
    return Run(body["id"], recorder, owned=True, heartbeat_seconds=beats)


def attach(run=None, journal=None, url=None, token=None, plain_http=False):
    """Joins the run of this id, or of MENDEL_RUN. Whoever started it ends it: finish() may be
    called, but the end of a `with` only sends what waits."""
    run = run or os.environ.get("MENDEL_RUN", "")
    if not run:
        raise MendelError("no run: name it, or set MENDEL_RUN", "invalid-argument")
    _check_id(run)
    return Run(run, _recorder(journal, url, token, plain_http), owned=False)


def push(kind, name, *paths, **options):
    """Makes a version of files and directories, and returns it (the JSON of the HTTP interface);
    with a journal None. kind is "model", "dataset" or "environment", name "namespace/name".

    Options: message, aliases, labels, metrics, inputs, hyperparameters, source, run (otherwise
    MENDEL_RUN), checkpoint ("best:chi2_ndf:min", "last", "step:N" in place of paths), and those of
    start() about the server. A directory is pushed as its files, a file under its base name.
    """
    recorder = _recorder(*[options.pop(key, None)
                           for key in ("journal", "url", "token", "plain_http")])
    run = options.pop("run", None) or os.environ.get("MENDEL_RUN")
    return _push(recorder, kind, name, paths, run, **options)


class Run(object):
    """A run that is recorded: made by start() or attach()."""

    def __init__(self, run, recorder, owned, heartbeat_seconds=None):
        self.id = run
        self.lost_points = 0
        self._recorder = recorder
        self._owned = owned
        self._heartbeat_seconds = heartbeat_seconds
        self._begin = time.time()
        self._begin_cpu = _cpu_seconds()
        self._finished = False
        self._owner_pid = os.getpid()
        self._begin_process()
        atexit.register(self._at_exit)

    def log(self, step, metrics=None, time=None, **more):
        """Records numbers at a step: run.log(100, loss=0.12) or run.log(100, {"loss/train": 0.1}).

        Values are whatever float() takes, so tensors of one element as well; NaN and infinities
        are kept. time is a datetime or RFC 3339, otherwise now. Raises ValueError or TypeError for
        what is no number, and never waits for the server.
        """
        self._notice_fork()
        step = _checked_step(step)
        moment = _now() if time is None else _moment(time)
        points = [{"name": _checked_name(name), "step": step, "value": _number(value),
                   "time": moment}
                  for name, value in dict(metrics or {}, **more).items()]
        if self._stopped:
            return self._lose(len(points), "the run is over")
        with self._wake:
            room = max(0, MAX_WAITING_POINTS - len(self._waiting))
            self._waiting.extend(points[:room])
            self._lose(len(points[room:]), "the server is away for too long")
            if self._thread is None:
                self._begin_thread()
            if len(self._waiting) >= POINTS_PER_REQUEST:
                self._wake.notify_all()

    def checkpoint(self, step, *paths, metrics=None, kind="model"):
        """Keeps files as they are at this step: run.checkpoint(100, "weights/", metrics={…}).

        metrics is what the keep rule looks at. Returns the checkpoint (the JSON of the HTTP
        interface); with a journal None.
        """
        self._notice_fork()
        body = {"step": _checked_step(step), "kind": _checked_kind(kind),
                "metrics": _numbers(metrics)}
        return self._recorder.checkpoint(self.id, body, _Files(kind, paths))

    def push(self, kind, name, *paths, **options):
        """Makes a version that comes from this run: as the function push()."""
        self._notice_fork()
        self.flush()
        return _push(self._recorder, kind, name, paths, self.id, **options)

    def flush(self, seconds=TIMEOUT_SECONDS):
        """Waits until all that was logged is recorded, at most so long; whether it is."""
        if os.getpid() != self._pid:
            return True
        deadline = time.time() + seconds
        lost_before = self.lost_points
        while True:
            try:
                self._send_waiting()
                return self.lost_points == lost_before
            except MendelError as error:
                if not error.is_transient or time.time() + 1 > deadline:
                    return False
            time.sleep(1)

    def finish(self, status="finished", resources=None):
        """Says that the run is over: "finished", "failed" or "killed".

        What it took since start() is recorded with it (wall and CPU seconds of this process and
        its children, the largest memory, the host, MENDEL_SITE); resources adds to that or
        replaces it: gpu_seconds, energy_kwh. A server that is away is tried for two minutes.
        """
        self._notice_fork()
        deadline = time.time() + FINISH_SECONDS
        self.flush(FINISH_SECONDS)
        body = {"status": status}
        if not self._recorder.is_live:
            body["finished_at"] = _now()  # it is delivered at another time
        taken = dict(self._resources() if self._owned else {}, **(resources or {}))
        if taken:
            body["resources"] = _exact(taken, "resources")
        self._stop()
        pause = 1.0
        while True:
            try:
                self._recorder.finish(self.id, body)
                self._recorder.close()
                self._finished = True
                return
            except MendelError as error:
                if not error.is_transient or time.time() + pause > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, 10.0)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if not self._owned or self._finished:
            self.flush()
        elif kind is None or (kind is SystemExit and not error.code):
            self.finish()
        else:
            killed = issubclass(kind, KeyboardInterrupt)
            try:
                self.finish("killed" if killed else "failed")
            except MendelError as problem:
                _say("the end of run %s is not recorded: %s" % (self.id, problem))
        return False

    # What a process has of its own: a child made by fork begins anew, as the parent's thread does
    # not exist there, and what waits is the parent's to send.
    def _begin_process(self):
        self._pid = os.getpid()
        self._wake = threading.Condition()
        self._sending = threading.Lock()
        self._waiting = collections.deque()
        self._thread = None
        self._stopped = False
        self._said_away = False
        self._recorder.begin_process()
        # Only the process that started the run gives signs of life.
        self._beats = self._heartbeat_seconds if self._pid == self._owner_pid else None
        if self._beats:
            self._begin_thread()

    def _notice_fork(self):
        if os.getpid() != self._pid:
            self._begin_process()

    def _begin_thread(self):
        self._thread = threading.Thread(target=self._work, name="mendel_run")
        self._thread.daemon = True
        self._thread.start()

    def _work(self):
        next_beat = time.time() + (self._beats or 0)
        while True:
            with self._wake:
                if self._stopped:
                    return
                if len(self._waiting) < POINTS_PER_REQUEST:
                    self._wake.wait(FLUSH_SECONDS)
            try:
                self._send_waiting()
                if self._beats and time.time() >= next_beat and not self._stopped:
                    self._recorder.heartbeat(self.id)
                    next_beat = time.time() + self._beats
                self._said_away = False
            except Exception as error:  # the training goes on, whatever is wrong here
                if not self._said_away:
                    _say("%s; going on, and trying again" % error)
                self._said_away = True
                time.sleep(FLUSH_SECONDS)

    # Points leave the queue once they are recorded. What is refused for good is lost.
    def _send_waiting(self):
        with self._sending:
            while True:
                with self._wake:
                    points = list(itertools.islice(self._waiting, POINTS_PER_REQUEST))
                if not points:
                    return
                try:
                    self._recorder.log(self.id, points)
                except MendelError as error:
                    if error.is_transient or error.status is None or error.status >= 500:
                        raise
                    self._lose(len(points), str(error))
                with self._wake:
                    for _ in points:
                        self._waiting.popleft()

    def _lose(self, count, why):
        if count and not self.lost_points:
            _say("points of run %s are lost: %s" % (self.id, why))
        self.lost_points += count

    def _stop(self):
        with self._wake:
            self._stopped = True
            self._wake.notify_all()

    def _at_exit(self):
        if os.getpid() != self._pid or self._finished:
            return
        if self._waiting and not self.flush(EXIT_SECONDS):
            _say("%d points of run %s were not sent" % (len(self._waiting), self.id))
        self._stop()
        self._recorder.close()

    def _resources(self):
        own = resource.getrusage(resource.RUSAGE_SELF)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken = {"wall_seconds": time.time() - self._begin,
                 "cpu_seconds": _cpu_seconds() - self._begin_cpu,
                 "peak_memory_bytes": max(own.ru_maxrss, children.ru_maxrss) * 1024,
                 "host": socket.gethostname()}
        for variable in ("MENDEL_SITE", "DIRACSITE", "GLIDEIN_Site"):
            if os.environ.get(variable):
                taken["site"] = os.environ[variable]
                break
        return taken


def _push(recorder, kind, name, paths, run, message=None, aliases=(), labels=None, metrics=None,
          inputs=None, hyperparameters=None, source=None, checkpoint=None):
    namespace, _ = _split_name(name, None)
    body = {}
    if message:
        body["message"] = message
    if aliases:
        body["aliases"] = list(aliases)
    if labels:
        body["labels"] = {str(key): str(value) for key, value in labels.items()}
    if metrics:
        body["metrics"] = _numbers(metrics)
    if inputs:
        body["inputs"] = [dict(entry) for entry in inputs]
    if hyperparameters is not None:
        body["hyperparameters"] = _exact(hyperparameters, "hyperparameters")
    if source:
        body["source"] = source
    if run:
        _check_id(run)
        body["run"] = run
    if checkpoint:
        body["checkpoint"] = checkpoint
    if bool(checkpoint) == bool(paths):
        raise MendelError("push files or a checkpoint of a run", "invalid-argument")
    files = None if checkpoint else _Files(_checked_kind(kind), paths)
    return recorder.push(_checked_kind(kind), name, namespace, str(uuid.uuid4()), body, files)


# --- Where it is recorded ------------------------------------------------------------------------


def _recorder(journal, url, token, plain_http):
    journal = journal or os.environ.get("MENDEL_JOURNAL")
    if journal:
        return _JournalRecorder(journal)
    return _ServerRecorder(_Server(url, token, plain_http))


class _ServerRecorder(object):
    is_live = True

    def __init__(self, server):
        self._server = server
        self._namespaces = {}

    def begin_process(self):
        self._server.begin_process()

    def close(self):
        self._server.close()

    def start(self, body):
        self._server.ask("POST", "/api/v1/runs", body)
        self._namespaces[body["id"]] = body["namespace"]

    def log(self, run, points):
        self._server.ask("POST", "/api/v1/runs/%s/metrics" % run, {"metrics": points})

    def heartbeat(self, run):
        self._server.ask("POST", "/api/v1/runs/%s/heartbeat" % run, {})

    def checkpoint(self, run, body, files):
        if run not in self._namespaces:
            self._namespaces[run] = self._server.ask("GET", "/api/v1/runs/" + run)["namespace"]
        manifest = self._send(self._namespaces[run], files)
        return self._server.ask("POST", "/api/v1/runs/%s/checkpoints" % run,
                                dict(body, manifest=manifest))

    def finish(self, run, body):
        self._server.ask("PATCH", "/api/v1/runs/" + run, body)

    def push(self, kind, name, namespace, key, body, files):
        if files:
            body = dict(body, manifest=self._send(namespace, files))
        owner, _, artifact = name.partition("/")
        path = "/api/v1/%ss/%s/%s/versions" % (kind, _quoted(owner), _quoted(artifact))
        return self._server.ask("POST", path, body, key)

    def _send(self, namespace, files):
        blobs = "/api/v1/namespaces/%s/blobs/" % _quoted(namespace)
        for source, entry in files.read():
            if not self._server.has(blobs + entry["digest"]):
                self._server.put_file(blobs + entry["digest"], source, entry["size"])
        manifest = files.manifest()
        digest = _digest(manifest)
        self._server.put_bytes(blobs + digest, manifest)
        return digest


class _JournalRecorder(object):
    is_live = False  # what is recorded arrives later

    def __init__(self, directory):
        self._journal = _Journal(directory)

    def begin_process(self):
        pass

    def close(self):
        pass

    def start(self, body):
        self._journal.append({"type": "run", "body": body})

    def log(self, run, points):
        self._journal.append({"type": "metrics", "run": run, "metrics": points})

    def heartbeat(self, run):
        pass

    def checkpoint(self, run, body, files):
        with self._journal.in_use():
            body = dict(body, manifest=self._keep(files))
            self._journal.append({"type": "checkpoint", "run": run, "body": body})

    def finish(self, run, body):
        self._journal.append({"type": "finish", "run": run, "body": body})

    def push(self, kind, name, namespace, key, body, files):
        with self._journal.in_use():
            if files:
                body = dict(body, manifest=self._keep(files))
            self._journal.append({"type": "push", "kind": kind, "name": name, "key": key,
                                  "body": body})

    def _keep(self, files):
        for source, entry in files.read():
            self._journal.keep_file(source, entry)
        return self._journal.keep(files.manifest())


# --- The server ----------------------------------------------------------------------------------


class _Server(object):
    """HTTP over one connection that stays open, for one thread at a time."""

    ATTEMPTS = 4

    def __init__(self, url, token, plain_http):
        login = _login()
        url = url or os.environ.get("MENDEL_URL") or login.get("url") or ""
        if not url:
            raise MendelError("no server: run 'mendel login URL', or set MENDEL_URL",
                              "invalid-argument")
        url = url.rstrip("/")
        at_home = url == login.get("url")
        token = token or os.environ.get("MENDEL_TOKEN") or (login.get("token") if at_home else "")
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise MendelError("%s is no URL of a server" % url, "invalid-argument")
        allowed = plain_http or (at_home and login.get("plain_http"))
        if token and parts.scheme == "http" and not _is_loopback(parts.hostname) and not allowed:
            raise MendelError("the token would travel in clear to %s: use https://, or allow it "
                              "with plain_http=True" % url, "permission-denied")
        self._parts = parts
        self._headers = {"User-Agent": "mendel_run.py"}
        if token:
            self._headers["Authorization"] = "Bearer " + token
        self.begin_process()

    def begin_process(self):
        self._lock = threading.Lock()
        self._connection = None

    def close(self):
        """Unless a thread is using it just now."""
        if self._lock.acquire(False):
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            self._lock.release()

    def ask(self, method, path, body=None, key=None):
        headers = {}
        if method == "POST":
            headers["Idempotency-Key"] = key or str(uuid.uuid4())
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body, allow_nan=False).encode()
        answer = self._repeatedly(method, path, headers, lambda: body)
        return json.loads(answer.decode()) if answer else {}

    def has(self, path):
        try:
            self._repeatedly("HEAD", path, {}, lambda: None)
            return True
        except MendelError as error:
            if error.status != 404:
                raise
            return False

    def put_bytes(self, path, data):
        self._repeatedly("PUT", path, {"Content-Type": "application/octet-stream"}, lambda: data)

    def put_file(self, path, source, size):
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        self._repeatedly("PUT", path, headers, lambda: _FileBody(source, size))

    def _repeatedly(self, method, path, headers, make_body):
        for attempt in range(1, self.ATTEMPTS + 1):
            try:
                return self._once(method, path, headers, make_body())
            except MendelError as error:
                if attempt == self.ATTEMPTS or not error.is_transient:
                    raise
                time.sleep(max(0.25 * 2 ** (attempt - 1), min(error.problem.get("after", 0), 30)))

    def _once(self, method, path, headers, body):
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                connection = self._connection
                connection.request(method, self._parts.path + path, body,
                                   dict(self._headers, **headers))
                answer = connection.getresponse()
                data = answer.read()
            except (OSError, http.client.HTTPException) as error:
                if self._connection is not None:
                    self._connection.close()
                self._connection = None
                if isinstance(error, ssl.SSLError) and "CERTIFICATE" in str(error):
                    raise MendelError("%s is not trusted: %s" % (self._parts.netloc, error),
                                      "internal")
                raise MendelError("%s: %s" % (self._parts.netloc, error), "unavailable")
            if answer.getheader("Connection", "").lower() == "close":
                connection.close()
                self._connection = None
        if answer.status < 300:
            return data
        raise _problem(answer, data)

    def _connect(self):
        host, port = self._parts.hostname, self._parts.port
        if self._parts.scheme == "http":
            connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        else:
            trusted = os.environ.get("MENDEL_CACERT") or os.environ.get("CURL_CA_BUNDLE")
            context = ssl.create_default_context(cafile=trusted)
            connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS,
                                                     context=context)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


class _FileBody(object):
    """So many bytes of a file, as http.client reads them; one that shrank meanwhile is an error
    and not a request that never ends."""

    def __init__(self, path, size):
        self._file = open(path, "rb")
        self._path = path
        self._left = size

    def read(self, size=_PIECE):
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        if not data:
            self._file.close()
            if self._left:
                raise MendelError("%s changes while it is read" % self._path, "aborted")
        return data


_CODES = {401: "unauthenticated", 403: "permission-denied", 404: "not-found",
          409: "already-exists", 412: "failed-precondition", 413: "too-large",
          422: "unprocessable", 429: "resource-exhausted", 502: "unavailable",
          503: "unavailable", 504: "deadline-exceeded", 507: "out-of-space"}


def _problem(answer, data):
    try:
        problem = json.loads(data.decode())
    except ValueError:
        problem = {}
    problem = problem if isinstance(problem, dict) else {}
    otherwise = _CODES.get(answer.status, "internal" if answer.status >= 500 else
                           "invalid-argument")
    code = str(problem.get("type", "")).rpartition("/")[2] or otherwise
    message = problem.get("detail") or problem.get("title") or (
        "the server answered %d" % answer.status)
    for error in problem.get("errors", ()):
        message += "\n  %s: %s" % (error.get("pointer"), error.get("detail"))
    after = answer.getheader("Retry-After", "")
    if after.isdigit():
        problem["after"] = int(after)
    return MendelError(message, code, answer.status, problem)


def _login():
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    try:
        with open(os.path.join(base, "mendel", "config.json")) as file:
            login = json.load(file)
    except (OSError, ValueError):
        return {}
    return login if isinstance(login, dict) else {}


def _is_loopback(host):
    return host in ("localhost", "::1") or re.match(r"127\.[0-9.]+$", host) is not None


def _quoted(text):
    return urllib.parse.quote(text, safe="")


# --- The journal: cli/journal.cc and cli/journal_frame.cc say what is written here ---------------


class _Journal(object):
    MAGIC = b"mendel journal 1"
    HEAD_SIZE = 48
    BEGIN, END = b"\xffMJ\x01", b"\xffMJ\x02"
    PAYLOAD_MAX = 16 << 20

    def __init__(self, directory):
        self._directory = os.path.abspath(directory)
        self._records = os.path.join(self._directory, "journal")
        self._blobs = os.path.join(self._directory, "blobs")
        os.makedirs(os.path.dirname(self._directory), exist_ok=True)
        self._make_directory(self._directory)
        self._make_directory(self._blobs)

    def in_use(self):
        """Held from the first byte that is kept until the record that names it is appended."""
        return _Lock(os.path.join(self._directory, "use.lock"), fcntl.LOCK_SH)

    def append(self, record):
        payload = json.dumps(record, allow_nan=False, ensure_ascii=False,
                             separators=(",", ":")).encode()
        if len(payload) > self.PAYLOAD_MAX:
            raise MendelError("a record of a journal has at most 16 MiB", "too-large")
        frame = self._frame(payload)
        with _Lock(os.path.join(self._directory, "append.lock"), fcntl.LOCK_EX):
            file = os.open(self._records, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                size = self._mended_size(file)
                if size == 0:
                    frame = self.MAGIC + _uuid7().replace("-", "").encode() + frame
                self._write_at(file, size, frame)
                if size == 0:
                    self._sync_directory(self._directory)
            finally:
                os.close(file)

    def keep(self, data):
        digest = _digest(data)
        if not os.path.exists(self._blob(digest)):
            temporary = self._temporary()
            with open(temporary, "xb") as file:
                file.write(data)
            self._keep_as(temporary, digest)
        return digest

    def keep_file(self, source, entry):
        """Copies a file whose digest and size the entry has."""
        if os.path.exists(self._blob(entry["digest"])):
            return
        temporary = self._temporary()
        digest = hashlib.sha256()
        try:
            with open(source, "rb") as file, open(temporary, "xb") as copy:
                for piece in iter(lambda: file.read(_PIECE), b""):
                    digest.update(piece)
                    copy.write(piece)
            if "sha256:" + digest.hexdigest() != entry["digest"]:
                raise MendelError("%s changes while it is read" % source, "aborted")
            self._keep_as(temporary, entry["digest"])
        except BaseException:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise

    @classmethod
    def _frame(cls, payload):
        length = struct.pack("<I", len(payload))
        checked = length + payload
        return b"".join((cls.BEGIN, struct.pack("<I", _crc32c(checked)), checked, length,
                         cls.END))

    # Cuts off what a kill left, so that the next frame begins where one ends.
    def _mended_size(self, file):
        size = os.fstat(file).st_size
        if size < self.HEAD_SIZE:
            os.ftruncate(file, 0)
            return 0
        if os.pread(file, len(self.MAGIC), 0) != self.MAGIC:
            raise MendelError("%s is no journal" % self._records, "data-loss")
        if size == self.HEAD_SIZE or self._frame_ends_at(file, size):
            return size
        end = self._end_of_frames(file, size)
        os.ftruncate(file, end)
        return end

    def _frame_size_at(self, file, begin):
        """Of a whole frame, or 0."""
        prefix = os.pread(file, 12, begin)
        if len(prefix) < 12 or not prefix.startswith(self.BEGIN):
            return 0
        crc, length = struct.unpack("<II", prefix[4:])
        if length > self.PAYLOAD_MAX:
            return 0
        frame = os.pread(file, 20 + length, begin)
        if len(frame) < 20 + length or frame[12 + length:] != prefix[8:] + self.END:
            return 0
        return 20 + length if _crc32c(frame[8:12 + length]) == crc else 0

    def _frame_ends_at(self, file, end):
        suffix = os.pread(file, 8, end - 8)
        size = 20 + struct.unpack("<I", suffix[:4])[0]
        return end - size >= self.HEAD_SIZE and self._frame_size_at(file, end - size) == size

    def _end_of_frames(self, file, size):
        end = offset = self.HEAD_SIZE
        while offset < size:
            frame = self._frame_size_at(file, offset)
            if frame:
                offset += frame
                end = offset
                continue
            offset = self._next_mark(file, offset + 1, size)
        return end

    # Frames that follow damaged bytes are no torn tail.
    def _next_mark(self, file, offset, size):
        while offset < size:
            window = os.pread(file, 1 << 16, offset)
            found = window.find(self.BEGIN)
            if found >= 0:
                return offset + found
            offset += max(1, len(window) - 3)
        return size

    @staticmethod
    def _write_at(file, offset, data):
        try:
            view = memoryview(data)
            written = 0
            while written < len(view):
                written += os.pwrite(file, view[written:], offset + written)
            os.fsync(file)
        except BaseException:
            os.ftruncate(file, offset)
            raise

    def _blob(self, digest):
        name = digest[len("sha256:"):]
        return os.path.join(self._blobs, name[:2], name)

    def _temporary(self):
        return os.path.join(self._blobs, ".new-" + str(uuid.uuid4()))

    def _keep_as(self, temporary, digest):
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, 0o600)
        target = self._blob(digest)
        self._make_directory(os.path.dirname(target))
        os.rename(temporary, target)
        self._sync_directory(os.path.dirname(target))

    @classmethod
    def _make_directory(cls, path):
        try:
            os.mkdir(path, 0o700)
            cls._sync_directory(os.path.dirname(path))
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise

    @staticmethod
    def _sync_directory(path):
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


class _Lock(object):
    """flock() on a file that is made for it, also between threads."""

    def __init__(self, path, how):
        self._path = path
        self._how = how

    def __enter__(self):
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, self._how)
        return self

    def __exit__(self, *_):
        os.close(self._file)


def _crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC_TABLE = _crc_table()


def _crc32c(data):
    crc = 0xFFFFFFFF
    table = _CRC_TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


# --- Files, as `mendel push` takes them ----------------------------------------------------------


class _Files(object):
    """What a version or a checkpoint consists of: the same entries, and so the same digest, that
    the command makes of these paths."""

    def __init__(self, kind, paths):
        self._kind = kind
        self._entries = []  # (source or None, entry)
        self._paths = set()
        for path in paths:
            self._add_named(os.fspath(path) if hasattr(os, "fspath") else path)
        if not self._entries:
            raise MendelError("nothing to send: name a file or a directory", "invalid-argument")

    def read(self):
        """Yields (source, entry) of the files, once their digest is known."""
        for source, entry in self._entries:
            if source is not None:
                entry["digest"], entry["size"] = _digest_of_file(source)
                yield source, entry

    def manifest(self):
        """Its canonical bytes (RFC 8785); read() comes first."""
        files = sorted((entry for _, entry in self._entries),
                       key=lambda entry: entry["path"].encode())
        document = {"files": files, "format": 1, "kind": self._kind}
        return json.dumps(document, sort_keys=True, ensure_ascii=False,
                          separators=(",", ":")).encode()

    def _add_named(self, path):
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            self._add_directory(path, "")
        else:
            self._add_file(path, os.path.basename(os.path.abspath(path)), status)

    def _add_directory(self, directory, prefix):
        names = sorted(name for name in os.listdir(directory) if name != ".mendel")
        for name in names:
            source, path = os.path.join(directory, name), prefix + name
            status = os.lstat(source)
            if stat.S_ISDIR(status.st_mode):
                self._add_directory(source, path + "/")
            elif stat.S_ISLNK(status.st_mode):
                self._add_link(source, path)
            else:
                self._add_file(source, path, status)
        if not names and prefix:
            self._add({"directory": True, "path": prefix[:-1]}, None)

    def _add_link(self, source, path):
        target = os.readlink(source)
        place = os.path.normpath(os.path.join(os.path.dirname(path), target))
        if os.path.isabs(target) or place.split("/")[0] == "..":
            raise MendelError("%s is a link that leads outside" % source, "invalid-argument")
        self._add({"link": target, "path": path}, None)

    def _add_file(self, source, path, status):
        if not stat.S_ISREG(status.st_mode):
            raise MendelError("%s is neither a file nor a directory nor a link" % source,
                              "invalid-argument")
        entry = {"path": path}
        if status.st_mode & stat.S_IXUSR:
            entry["executable"] = True
        self._add(entry, source)

    def _add(self, entry, source):
        try:
            entry["path"].encode()
        except UnicodeEncodeError:
            raise MendelError("%r is not UTF-8" % entry["path"], "invalid-argument")
        if entry["path"] in self._paths:
            raise MendelError("there are two files for %s" % entry["path"], "invalid-argument")
        self._paths.add(entry["path"])
        self._entries.append((source, entry))


def _digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _digest_of_file(path):
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(_PIECE), b""):
            digest.update(piece)
            size += len(piece)
    return "sha256:" + digest.hexdigest(), size


# --- Values --------------------------------------------------------------------------------------


def _number(value):
    number = float(value)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return number


def _numbers(metrics):
    return {_checked_name(name): _number(value) for name, value in (metrics or {}).items()}


def _checked_step(step):
    number = int(step)
    if number != step or not 0 <= number <= STEP_MAX:
        raise ValueError("a step is a whole number from 0 to 2**53: %r" % (step,))
    return number


def _checked_name(name):
    if not isinstance(name, str) or not 0 < len(name.encode()) <= 255:
        raise ValueError("the name of a metric is a text of 1 to 255 bytes: %r" % (name,))
    if any(character < " " or character == "\x7f" for character in name):
        raise ValueError("the name of a metric has no control characters: %r" % (name,))
    return name


def _checked_kind(kind):
    if kind not in ("model", "dataset", "environment"):
        raise MendelError("a kind is model, dataset or environment: %r" % (kind,),
                          "invalid-argument")
    return kind


def _checked_keep(keep):
    rule = r"(last|every):[1-9][0-9]{0,14}|best:[1-9][0-9]{0,14}:.+:(min|max)"
    for text in keep.split(","):
        if not re.match("(?:%s)$" % rule, text):
            raise MendelError("%r is no rule of what to keep: best:N:METRIC:min, "
                              "best:N:METRIC:max, last:N, every:STEPS" % text, "invalid-argument")
    return keep


def _check_id(run):
    if not re.match(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", run):
        raise MendelError("%r is no id of a run" % (run,), "invalid-argument")


def _exact(value, place):
    """value as JSON carries it exactly; numbers of other libraries become those of Python."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                raise MendelError("%s: the name %r is no text" % (place, name),
                                  "invalid-argument")
        return {name: _exact(inner, place + "." + name) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_exact(inner, "%s[%d]" % (place, i)) for i, inner in enumerate(value)]
    if not isinstance(value, (int, float)) and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, int) and abs(value) <= STEP_MAX:
        return int(value)
    if isinstance(value, float) and not math.isnan(value) and not math.isinf(value):
        return float(value)
    raise MendelError("%s: JSON cannot carry %r exactly" % (place, value), "invalid-argument")


def _split_name(name, namespace):
    owner, slash, rest = name.partition("/")
    if not slash:
        owner, rest = namespace or os.environ.get("MENDEL_NAMESPACE"), name
    if not owner:
        raise MendelError("in which namespace? Name it namespace/name, or set MENDEL_NAMESPACE",
                          "invalid-argument")
    for text in (owner, rest):
        if not re.match(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", text):
            raise MendelError("%r is no name: [A-Za-z0-9][A-Za-z0-9._-]{0,99}" % text,
                              "invalid-argument")
    return owner, rest


def _now():
    return _moment(datetime.datetime.now(datetime.timezone.utc))


def _moment(moment):
    if isinstance(moment, str):
        return moment
    utc = moment.astimezone(datetime.timezone.utc)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _uuid7():
    """RFC 9562: ids that sort by the time they were made."""
    milliseconds = int(time.time() * 1000)
    number = random.SystemRandom().getrandbits(80) | milliseconds << 80
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=number))


def _cpu_seconds():
    return sum(usage.ru_utime + usage.ru_stime
               for usage in (resource.getrusage(resource.RUSAGE_SELF),
                             resource.getrusage(resource.RUSAGE_CHILDREN)))


def _say(text):
    sys.stderr.write("mendel_run: %s\n" % text)


def _git_source():
    """What git says of the current directory; None where there is no commit, or no git."""

    def git(*arguments):
        done = subprocess.run(("git", "-c", "core.fsmonitor=false") + arguments,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              stdin=subprocess.DEVNULL, timeout=30,
                              env=dict(os.environ, GIT_OPTIONAL_LOCKS="0"))
        text = done.stdout.decode(errors="replace").rstrip("\n")
        return text if done.returncode == 0 else None

    try:
        commit = git("rev-parse", "--verify", "HEAD")
        if not commit:
            return None
        source = {"commit": commit,
                  "dirty": bool(git("status", "--porcelain", "--untracked-files=no"))}
        branch = git("symbolic-ref", "--short", "-q", "HEAD")
        if branch:
            source["branch"] = branch
        remote = git("config", "--get", "remote.origin.url")
        if remote:
            source["repository"] = re.sub(r"^([a-z+]+://)[^/@]*@", r"\1", remote)
        return source
    except (OSError, subprocess.SubprocessError):
        return None
