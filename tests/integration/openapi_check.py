"""Asks a server for everything that its OpenAPI document allows, and for much that it does not:
no answer may be a 5xx, nor one that the document does not describe.

Run by ci/check_openapi, which installs schemathesis and names it in SCHEMATHESIS. Requests are
about one artifact that exists, so that most of them get real answers.
"""

import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import mendel_fixture

SEED = os.environ.get("MENDEL_TEST_SEED", str(random.randrange(1 << 30)))
EXAMPLES = os.environ.get("MENDEL_OPENAPI_EXAMPLES", "60")

CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance",
          "response_headers_conformance", "response_schema_conformance",
          "negative_data_rejection", "missing_required_header", "unsupported_method",
          "allow_header_conformance", "ignored_auth")

# What a path's parts are. Principals: not the one that asks, which could take its own rights away.
CONFIG = """
[parameters]
"path.kind" = "models"
"path.ns" = "lhcb"
"path.name" = "m"
"path.ref" = "1"
"path.alias" = "production"
"path.path" = "w"
"path.principal" = "robot"
"path.digest" = "{digest}"
"path.step" = 100

[[operations]]
include-path = "/api/v1/principals/{{name}}"
parameters = {{ "path.name" = "robot" }}

[[operations]]
include-path = "/api/v1/tokens/{{id}}"
parameters = {{ "path.id" = "{token}" }}

[[operations]]
include-path-regex = "/runs/{{id}}"
parameters = {{ "path.id" = "{run}" }}

[[operations]]
include-path-regex = "/uploads/{{id}}"
parameters = {{ "path.id" = "{upload}" }}

[[operations]]
include-path-regex = "/jobs/{{id}}"
parameters = {{ "path.id" = "{job}" }}

# Rows that are wrong are told of in the answer, and lose no others.
[[operations]]
include-path = "/api/v1/kpi-events"
checks.negative_data_rejection.enabled = false
"""

# Packs have no schema: whatever is made up for one is sent as bytes.
HOOKS = """
import json

import schemathesis


@schemathesis.serializer("application/vnd.mendel.pack")
def as_bytes(context, value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@schemathesis.hook
def before_call(context, case, kwargs):
    # Nobody waits a minute for a job that does not come.
    wait = case.body.get("wait_seconds") if isinstance(case.body, dict) else None
    if isinstance(wait, (int, float)) and 1 < wait <= 60:
        case.body["wait_seconds"] = 0
"""


def prepare(server):
    """Something of each kind; what the configuration needs to know of it."""
    def send(method, path, body=None):
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        status, _, answer = server.request(method, path, content)
        assert status in (200, 201), answer
        return json.loads(answer)

    content = b"weights"
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    send("PUT", "/api/v1/namespaces/lhcb")
    send("PUT", "/api/v1/principals/robot", {"kind": "service"})
    send("PUT", f"/api/v1/namespaces/lhcb/blobs/{digest}", content)
    publication = {"files": [{"path": "w", "digest": digest}], "aliases": ["production"]}
    for number in range(3):
        send("POST", "/api/v1/models/lhcb/m/versions",
             publication | {"hyperparameters": {"n": number}})
    token = send("POST", "/api/v1/tokens", {"principal": "robot", "name": "unused"})
    upload = send("POST", "/api/v1/namespaces/lhcb/uploads")
    run = send("POST", "/api/v1/runs", {"namespace": "lhcb", "name": "r"})
    send("POST", f"/api/v1/runs/{run['id']}/checkpoints",
         {"step": 100, "files": publication["files"], "metrics": {"a": 1}})
    send("PUT", "/api/v1/pipelines/lhcb/m",
         {"engine": "agent", "queue": "q", "command": ["true"],
          "produces": {"artifact": "lhcb/m", "files": ["w"]}})
    job = send("POST", "/api/v1/jobs", {"pipeline": "lhcb/m"})
    return {"digest": digest, "token": token["id"], "upload": upload["id"], "run": run["id"],
            "job": job["id"]}


def main():
    server = mendel_fixture.Server()
    try:
        known = prepare(server)
        with tempfile.TemporaryDirectory() as directory:
            directory = pathlib.Path(directory)
            (directory / "schemathesis.toml").write_text(CONFIG.format(**known))
            (directory / "hooks.py").write_text(HOOKS)
            command = [os.environ["SCHEMATHESIS"], "--config-file",
                       directory / "schemathesis.toml", "run",
                       server.url + "/api/v1/openapi.json",
                       "--header", "Authorization: Bearer " + server.token,
                       "--checks", ",".join(CHECKS), "--max-examples", EXAMPLES, "--seed", SEED,
                       "--suppress-health-check", "too_slow", "--generation-database", "none",
                       "--continue-on-failure", "--no-color", *sys.argv[1:]]
            done = subprocess.run(command, cwd=directory,
                                  env=os.environ | {"SCHEMATHESIS_HOOKS": "hooks",
                                                    "PYTHONPATH": str(directory)})
        if server.process.poll() is not None:
            sys.exit("the server ended:\n" + server.log_text()[-3000:])
        sys.exit(done.returncode)
    finally:
        server.remove()


if __name__ == "__main__":
    main()
