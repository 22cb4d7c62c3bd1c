# SPDX-License-Identifier: Apache-2.0
"""rig.py: real peers on loopback for end-to-end tests: docker-registry behind a
proxy that can be told to misbehave, dockerd with a data root of its own, cosign.

Everything lives in one temporary directory and ends with the rig; processes are
ended by their pid.
"""
import atexit
import hashlib
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("CV_BUILD", os.path.join(TOP, "build"))
CLAWVERIFY = os.path.join(BUILD, "clawverify")


class Tap:
    """Cases and their counts; the last line is what tests/run reads."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def case(self, name, run):
        if os.environ.get("E2E_ONLY", "") not in name and not name.startswith("init, lock"):
            return  # a developer's choice; CI sets nothing
        try:
            run()
        except Skip as why:
            self.skipped += 1
            print("ok - %s # SKIP %s" % (name, why))
        except Exception as error:  # a broken case is a failed case
            self.failed += 1
            kind = "" if isinstance(error, AssertionError) else type(error).__name__ + ": "
            print("not ok - %s" % name)
            for line in (kind + str(error)).splitlines():
                print("#   " + line)
        else:
            self.passed += 1
            print("ok - %s" % name)
        sys.stdout.flush()

    def end(self):
        print("# %d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped))
        return 1 if self.failed else 0


class Skip(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(argv, ok=True, **more):
    """Run a peer's program; its output is shown when it fails."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)
    text = done.stdout.decode("utf-8", "replace")
    if ok and done.returncode != 0:
        raise AssertionError("%s: exit %d\n%s" % (" ".join(argv), done.returncode, text[-3000:]))
    return text


# ---- a proxy that can be told to misbehave ----

class Proxy(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream):
        self.upstream = upstream
        self.fault = None     # function(handler) -> True if it has answered
        self.seen = []        # (method, path, has Authorization)
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that goes away is part of the tests


class ProxyHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            data = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                data += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return data
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def forward(self):
        self.server.seen.append((self.command, self.path, "Authorization" in self.headers))
        if self.server.fault is not None and self.command in ("GET", "HEAD") \
                and self.server.fault(self):
            return
        peer = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)
        headers = {k: v for k, v in self.headers.items()
                   if k.lower() not in ("connection", "transfer-encoding", "content-length")}
        body = self.body()
        if body or self.command in ("PUT", "POST", "PATCH"):
            headers["Content-Length"] = str(len(body))
        peer.request(self.command, self.path, body=body or None, headers=headers)
        answer = peer.getresponse()
        data = b"" if self.command == "HEAD" else answer.read()
        self.send_response(answer.status)
        for k, v in answer.getheaders():
            if k.lower() not in ("connection", "transfer-encoding", "content-length", "date",
                                 "server"):
                self.send_header(k, v)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length if length is not None else str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        peer.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = forward


# ---- the rig ----

class Rig:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="clawverify-e2e-")
        self.children = []
        atexit.register(self.close)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        self.env = dict(os.environ, COSIGN_PASSWORD="", HOME=self.dir,
                        XDG_CACHE_HOME=self.path("cache"), XDG_STATE_HOME=self.path("state"))
        self.env.pop("DOCKER_HOST", None)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, data):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())
        return path

    def spawn(self, argv, log):
        with open(self.path(log), "wb") as out:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=subprocess.STDOUT, env=self.env)
        self.children.append(child)
        return child

    def wait_for(self, what, check, child, log, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if check():
                return
            if child.poll() is not None:
                break
            time.sleep(0.05)
        with open(self.path(log), "r", errors="replace") as f:
            raise AssertionError("%s did not start:\n%s" % (what, f.read()[-2000:]))

    def close(self):
        for child in reversed(self.children):
            child.terminate()
        for child in reversed(self.children):
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.children = []
        subprocess.run(["chmod", "-R", "u+w", self.dir], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.dir, ignore_errors=True)

    # -- peers --

    def registry(self, name="registry", htpasswd=None):
        port = free_port()
        settings = {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": self.path(name)},
                        "delete": {"enabled": True}},
            "http": {"addr": "127.0.0.1:%d" % port},
        }
        if htpasswd is not None:
            settings["auth"] = {"htpasswd": {"realm": "e2e", "path": self.write(
                name + ".htpasswd", htpasswd + "\n")}}
        config = self.write(name + ".yml", json.dumps(settings))
        child = self.spawn(["docker-registry", "serve", config], name + ".log")

        def up():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0
        self.wait_for("docker-registry", up, child, name + ".log")
        return port

    def dockerd(self):
        """dockerd in a mount namespace of its own; needs root."""
        sock = self.path("docker.sock")
        child = self.spawn(
            ["unshare", "-m", "sh", "-c", "mount --make-rprivate / && exec \"$@\"", "sh",
             "dockerd", "--data-root", self.path("docker"), "--exec-root", self.path("exec"),
             "-p", self.path("docker.pid"), "-H", "unix://" + sock, "--iptables=false",
             "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"], "dockerd.log")

        def up():
            return os.path.exists(sock) and subprocess.run(
                ["docker", "-H", "unix://" + sock, "version"], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env=self.env).returncode == 0
        self.wait_for("dockerd", up, child, "dockerd.log")
        self.env["DOCKER_HOST"] = "unix://" + sock
        self.env["DOCKER_BUILDKIT"] = "0"

    # -- ours --

    def clawverify(self, *args, cwd=None, exit=None, stdin=None, env=None):
        """(exit code, stdout, stderr) of the command; `exit` is what it has to be."""
        done = subprocess.run([CLAWVERIFY] + list(args), cwd=cwd or self.dir,
                              input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=dict(self.env, **(env or {})), timeout=240,
                              **({} if stdin is not None else {}))
        out = done.stdout.decode("utf-8", "replace")
        err = done.stderr.decode("utf-8", "replace")
        if exit is not None and done.returncode != exit:
            raise AssertionError("clawverify %s: exit %s, want %s\n%s\n%s"
                                 % (" ".join(args), done.returncode, exit, brief(out), err[-2000:]))
        return done.returncode, out, err


def brief(out):
    """A result document as its problems; other text as its end."""
    try:
        result = json.loads(out)
        rows = [dict(part="agent", **c) for c in result["checks"]]
        for a in result["artifacts"]:
            rows += [dict(part=a["name"], **c) for c in a["checks"]]
    except (ValueError, KeyError, TypeError):
        return out[-2000:]
    return "\n".join("%s %s %s: %s | %s | %s | %s" % (
        r["part"], r["id"], r["outcome"], r.get("reason"), r.get("expected"), r.get("found"),
        r.get("where")) for r in rows if r["outcome"] not in ("pass", "not-applicable"))


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def need(*programs):
    for p in programs:
        if shutil.which(p) is None:
            raise Skip("%s is not installed" % p)
