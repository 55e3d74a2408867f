"""What tests of triggers have in common: JSON over HTTP, data sets with versions, a pipeline."""

import hashlib
import json
import time

SECONDS_MAX = 120
CONTENT = b"hits"
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


def pipeline(namespace, **changes):
    return {"engine": "agent", "queue": "somewhere", "command": ["./train"],
            "inputs": {"data": f"{namespace}/calib"},
            "produces": {"artifact": f"{namespace}/trk", "files": ["out/*"]}} | changes


class Api:
    """JSON in and out, as the administrator."""

    def __init__(self, server):
        self.server = server

    def ask(self, method, path, body=None, **headers):
        data = None if body is None else json.dumps(body).encode()
        status, got, answer = self.server.request(
            method, "/api/v1/" + path, data,
            {name.replace("_", "-"): value for name, value in headers.items()})
        return status, got, json.loads(answer) if answer else None

    def get(self, path):
        status, _, answer = self.ask("GET", path)
        assert status == 200, (path, status, answer)
        return answer

    def put(self, path, body):
        status, _, answer = self.ask("PUT", path, body)
        assert status in (200, 201), (path, status, answer)
        return answer

    def items(self, path):
        found, after = [], ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=1000{after}")
            found += page["items"]
            if "next" not in page:
                return found
            after = "&after=" + page["next"]

    def make_data(self, namespace):
        self.put(f"namespaces/{namespace}", {})
        status, _, answer = self.server.request(
            "PUT", f"/api/v1/namespaces/{namespace}/blobs/{DIGEST}", CONTENT)
        assert status in (200, 201), answer

    def publish(self, namespace, number, artifact="calib", **more):
        body = {"files": [{"path": "f", "digest": DIGEST}],
                "hyperparameters": {"number": number}} | more
        return self.ask("POST", f"datasets/{namespace}/{artifact}/versions", body,
                        Idempotency_Key=f"{namespace}-{artifact}-{number}")


def eventually(condition, seconds=SECONDS_MAX):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.02)
    return condition()
