# SPDX-License-Identifier: Apache-2.0
"""kit: what the tests of the command share: a scratch world to run it in, and TAP."""
import collections
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("CV_BUILD", os.path.join(TOP, "build")))
PROGRAM = os.path.join(BUILD, "clawverify")

Done = collections.namedtuple("Done", "code out err text")


class Tap:
    """Cases as TAP, and the last line that tests/run counts by."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def ok(self, good, name, told=""):
        if good:
            self.passed += 1
            print("ok - %s" % name)
        else:
            self.failed += 1
            print("not ok - %s" % name)
            for line in str(told).splitlines()[:40]:
                print("# " + line)
        return bool(good)

    def same(self, found, wanted, name):
        """Texts are equal; what differs is told line by line."""
        told = []
        a, b = found.splitlines(), wanted.splitlines()
        for i in range(max(len(a), len(b))):
            x, y = (a[i] if i < len(a) else None), (b[i] if i < len(b) else None)
            if x != y:
                told += ["found  %s" % x, "wanted %s" % y]
        return self.ok(found == wanted, name, "\n".join(told))

    def skip(self, name, why):
        self.skipped += 1
        print("ok - %s # SKIP %s" % (name, why))

    def end(self):
        print("# %d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped))
        return 1 if self.failed or not self.passed + self.skipped else 0


def confined():
    """Whether workers can be confined here: not in a sanitizer build, nor everywhere."""
    w = World()
    done = w.run("doctor")
    w.close()
    return done.code == 0


class World:
    """A directory, an environment and a store of their own."""

    def __init__(self, name="work"):
        self.root = tempfile.mkdtemp(prefix="clawverify-cli-")
        self.dir = os.path.join(self.root, name)
        os.mkdir(self.dir)
        self.server, self.registry = None, None
        self.one = False  # a block of README.md is one command
        self.env = {"PATH": "%s:%s" % (BUILD, os.environ.get("PATH", "/usr/bin:/bin")),
                    "HOME": self.root, "TMPDIR": self.root, "LC_ALL": "C.UTF-8",
                    "XDG_CACHE_HOME": os.path.join(self.root, "cache"),
                    "XDG_STATE_HOME": os.path.join(self.root, "state"),
                    "CLAWVERIFY_PROGRESS": "none"}
        for name in os.environ:  # sanitizers' own
            if name.endswith("SAN_OPTIONS"):
                self.env[name] = os.environ[name]

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def run(self, *args, stdin=b"", env=None, cwd=None, stdout=subprocess.PIPE):
        """clawverify with these arguments, its outputs apart."""
        done = subprocess.run([PROGRAM, *args], cwd=cwd or self.dir, input=stdin, stdout=stdout,
                              stderr=subprocess.PIPE, env=dict(self.env, **(env or {})),
                              timeout=60, check=False)
        out = (done.stdout or b"").decode("utf-8", "surrogateescape")
        err = done.stderr.decode("utf-8", "surrogateescape")
        return Done(done.returncode, out, err, out + err)

    def shell(self, text):
        """A command line, both outputs as a terminal would show them."""
        if self.registry:
            text = text.replace("registry.example/", self.registry + "/")
        done = subprocess.run(["sh", "-c", text], cwd=self.dir, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.env,
                              timeout=60, check=False)
        out = done.stdout.decode("utf-8", "surrogateescape")
        if self.registry:
            out = out.replace(self.registry + "/", "registry.example/")
        return Done(done.returncode, out, "", out)

    def sample(self, name="good"):
        """The files of a sample of `clawverify demo`, with its advisories compiled."""
        where = os.path.join(self.root, "sample")
        self.run("demo", name, "-q", "--keep", where)
        for entry in os.listdir(where):
            if not entry.startswith("."):
                os.rename(os.path.join(where, entry), self.path(entry))
        shutil.rmtree(where)
        self.run("db", "import", "-q", "advisories.json")

    def serve(self, layout):
        """A registry on loopback that serves this OCI layout."""
        self.server = subprocess.Popen(
            [sys.executable, "-B", os.path.join(TOP, "tests", "net", "server.py"), "--root",
             self.path(layout)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.registry = "127.0.0.1:" + self.server.stdout.readline().split()[0]

    def close(self):
        if self.server:
            self.server.stdin.close()
            self.server.wait(10)
            self.server.stdout.close()
        shutil.rmtree(self.root, ignore_errors=True)


# ---- worlds of README.md ----

def world_clone():
    """A clone in which everything is built: ./bootstrap make X does X."""
    w = World("clawverify")
    w.one = True
    os.symlink(BUILD, w.path("build"))
    w.write("bootstrap", '#!/bin/sh\nshift\nexec build/clawverify "$@"\n')
    os.chmod(w.path("bootstrap"), 0o755)
    return w


def world_my_agent():
    """A model, a skill, a prompt, and a signed image in a registry."""
    w = World("my-agent")
    w.sample()
    os.makedirs(w.path("models"))
    os.makedirs(w.path("skills"))
    os.rename(w.path("llm"), w.path("models", "llm"))
    os.rename(w.path("notes"), w.path("skills", "notes"))
    os.rename(w.path("prompt.md"), w.path("system-prompt.md"))
    os.rename(w.path("runtime"), os.path.join(w.root, "image"))
    for name in ("agent.json", "policy.json", "clawverify.lock", "greeter.tgz", "advisories.json",
                 "team.pub"):
        os.unlink(w.path(name))
    shutil.rmtree(w.path("endorsements"))
    os.unlink(os.path.join(w.root, "cache", "clawverify", "advisories.index"))
    w.serve(os.path.join(w.root, "image"))
    return w


def world_ci():
    w = World("ci")
    w.sample()
    return w


def world_policy():
    w = World("policy")
    w.sample()
    return w


def world_hook():
    w = World("hook")
    w.write("request.json", "{}")
    return w


def world(name):
    return globals()["world_" + name.replace("-", "_")]()
