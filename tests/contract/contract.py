"""Starts a hub with a small world, and lets schemathesis call it as everybody who may call it."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import world

HERE = Path(__file__).parent
SECRET = "the secret of an issuer has at least 32 bytes"
SERVICE = "the token of the back-end has at least 32 bytes"
END_S = 60
# Of a run that found nothing: the summary.
LAST_WORDS = 500
# A socket is opened by no such request, and a run of a job is told by its name only where it takes long.
NOT_BY_CHANCE = {("get", "/ws"), ("get", "/api/jobs/runs/{run}")}
# The same requests each time: a failure is there again when it is looked for.
SEED = 7

CONFIG = f"""
[auth]
service_token = "{SERVICE}"
issuers = [{{ hs256_secret = "{SECRET}" }}]
[listen]
port = 0
[operations]
port = 0
[console]
operators = ["{world.OWNER}"]
[limits]
update_interval_ms = 20
typing_interval_ms = 1
activities_per_second = 1000
clockings_per_second = 1000
wrong_codes_per_address = 100000
wrong_codes_per_second = 10000
"""

# Who calls, with which token, about what: a pattern of paths.
CALLERS = [
    ("owner", "user", world.OWNER, r"^/(api/(presence|access-codes|openapi|system)|livez)"),
    ("member", "user", world.SUPPLIER, r"^/api/(presence|access-codes|system)"),
    ("stranger", "user", world.STRANGER, r"^/api/(presence|access-codes)"),
    ("owner, by a back-end", "service", world.OWNER, r"^/api/(presence|access-codes)"),
    ("back-end", "service", None, r"^/api/(directory|jobs|presence/why|system)"),
    ("extension", "extension", None, r"^/api/access-codes/(logout|validate)"),
]


def token(user):
    """A token as the platform makes it."""
    encode = lambda part: base64.urlsafe_b64encode(part).rstrip(b"=")
    claims = {"sub": user, "aud": "authenticated", "exp": int(time.time()) + 36_000}
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = b".".join(encode(part) for part in parts)
    return b".".join([signed, encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest())]).decode()


def call(url, bearer, body, method="POST"):
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or "null")


def start(binary, home):
    """The hub, where it listens, and where its metrics are."""
    home.joinpath("hub.toml").write_text(CONFIG)
    command = [binary, "serve", "--config", "hub.toml", "--database", "hub.db", "--log-level", "warn"]
    log = home.joinpath("log").open("w")
    hub = subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, stderr=log, text=True)
    told = hub.stdout.readline() + hub.stdout.readline()
    if found := re.search(r"ws://([0-9.:]+)/ws.*(http://[0-9.:]+/metrics)", told, re.DOTALL):
        return hub, f"http://{found[1]}", found[2]
    sys.exit(f"the hub did not start:\n{home.joinpath('log').read_text()}")


def remove_codes(url):
    """Those who asked before may have made as many for a member as there may be."""
    listed = f"{url}/api/access-codes?organizationId={world.ORGANIZATION}"
    for code in call(listed, token(world.OWNER), None, "GET")["accessCodes"]:
        if "revokedAt" not in code:
            call(f"{url}/api/access-codes/{code['id']}", token(world.OWNER), None, "DELETE")


def clock_in(url):
    """An access code, and what somebody got for it."""
    remove_codes(url)
    with contextlib.suppress(urllib.error.HTTPError):  # 409: nobody is there
        call(f"{url}/api/presence/accounts/{world.ACCOUNT}", token(world.OWNER), None, "DELETE")
    asked = {"organizationId": world.ORGANIZATION, "userId": world.ASSISTANT}
    code = call(f"{url}/api/access-codes", token(world.OWNER), asked)
    shown = {"code": code["code"], "accountId": world.ACCOUNT}
    return code["id"], call(f"{url}/api/access-codes/validate", "none", shown)


def parts_of_others(value):
    """The names of schemas that others add to: they cannot be closed by themselves."""
    if isinstance(value, list):
        return set().union(*map(parts_of_others, value))
    if not isinstance(value, dict):
        return set()
    names = {part["$ref"].rsplit("/", 1)[1] for part in value.get("allOf", []) if "$ref" in part}
    return names.union(*map(parts_of_others, value.values()))


def closed(value):
    """A schema in which a field that is not listed is a fault: the document must tell every field of an answer."""
    if isinstance(value, list):
        return [closed(part) for part in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("allOf"), list):
        return {**value, "unevaluatedProperties": False}
    parts = {key: closed(part) for key, part in value.items()}
    if parts.get("type") == "object" and "properties" in parts:
        parts.setdefault("additionalProperties", False)
    return parts


def strict(document):
    schemas = document["components"]["schemas"]
    left = {name: schemas[name] for name in parts_of_others(document)}
    strict = closed(document)
    strict["components"]["schemas"].update(left)
    return strict


def contract(url, document, caller, examples):
    """Whether all that one caller asks is answered as the document says."""
    name, kind, user, paths = caller
    print(f"-- as {name}", flush=True)
    code, hold = clock_in(url)
    bearer = {"user": token(user), "service": SERVICE, "extension": hold["token"]}[kind]
    environment = {"CONTRACT_CALLER": name, "CONTRACT_CODE": code, "CONTRACT_EPOCH": str(hold["epoch"])}
    if kind == "service" and user:
        environment["CONTRACT_ACTING_USER"] = user
    command = [Path(sys.executable).parent / "schemathesis", "--config-file", HERE / "schemathesis.toml", "run"]
    command += [document, "--url", url, "--include-path-regex", paths, "--seed", str(SEED)]
    command += ["--header", f"Authorization: Bearer {bearer}", "--max-examples", str(examples)]
    environment = {**os.environ, **environment, "PYTHONPATH": str(HERE)}
    done = subprocess.run(command, cwd=document.parent, env=environment, capture_output=True, text=True)
    print(done.stdout if done.returncode else done.stdout[-LAST_WORDS:], done.stderr, sep="", flush=True)
    return done.returncode == 0


def never_done(document, metrics):
    """Operations whose success nobody has seen: of their bodies nothing would be known."""
    with urllib.request.urlopen(metrics, timeout=10) as answer:
        counted = re.findall(r"presence_hub_requests_total{(.*?)} [1-9]", answer.read().decode())
    labels = [dict(re.findall(r'(\w+)="(.*?)"', line)) for line in counted]
    done = {(of["method"].lower(), of["route"]) for of in labels if of["status"].startswith("2")}
    operations = {(method, path) for path, route in document["paths"].items() for method in route}
    return sorted(f"{method} {path}" for method, path in operations - done - NOT_BY_CHANCE)


def main(binary, examples):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        hub, url, metrics = start(binary, home)
        try:
            call(f"{url}/api/directory/import", SERVICE, world.DOCUMENT)
            with urllib.request.urlopen(f"{url}/api/openapi.json", timeout=10) as served:
                told = json.load(served)
            document = home.joinpath("openapi.json")
            document.write_text(json.dumps(strict(told)))
            kept = [contract(url, document, caller, examples) for caller in CALLERS]
            if hub.poll() is not None:
                sys.exit(f"the hub ended:\n{home.joinpath('log').read_text()[-4000:]}")
            if missing := never_done(told, metrics):
                sys.exit(f"never seen to succeed: {', '.join(missing)}")
        finally:
            hub.terminate()
            hub.wait(timeout=END_S)
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
