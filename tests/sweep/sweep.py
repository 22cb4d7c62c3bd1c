#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sweep.py: every allocation and every network answer fails in turn; never a pass
that the faulted thing was needed for.

    tests/sweep/sweep.py [--faults N]      N allocations a program (default: all)

The agent is the demo's good one, for the network served by a registry on loopback.
A faulted run counts as right if

    it passes and every check of it has the answer of the good run (the faulted
    thing was not needed: a retried request, a cache), or
    it ends with exit 3 or 4 (unknown, internal), or for a wrong network answer
    with 1 (the evidence says no), in time, by itself,

and nothing half-written is left: a faulted `lock` or `bundle create` leaves the
whole file or none. (Worker frames are swept by test_verify_engine_faults.)
"""
import argparse
import hashlib
import http.server
import json
import mmap
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("CV_BUILD", os.path.join(TOP, "build")))
LIMIT = 60


class Tap:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def say(self, name, bad, note=""):
        for line in bad[:10]:
            print("#   " + line)
        print("%s - %s%s" % ("not ok" if bad else "ok", name, note))
        self.passed += not bad
        self.failed += bool(bad)
        sys.stdout.flush()


class World:
    """A directory with the programs behind preload, and the sample."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="clawverify-sweep-")
        self.bin = self.dir + "/bin"
        os.mkdir(self.bin)
        helpers = BUILD + "/tests/helpers/"
        shutil.copy(BUILD + "/clawverify", self.bin)
        for name in ("trust", "contents", "fetch", "import"):
            shutil.copy(helpers + "preload", self.bin + "/clawverify-" + name)
        shutil.copy(helpers + "failmalloc.so", self.bin)
        os.symlink(BUILD, self.bin + "/real")
        with open(self.bin + "/plan", "wb") as f:
            f.write(bytes(64))
        with open(self.bin + "/plan", "r+b") as f:
            self.plan = mmap.mmap(f.fileno(), 64)
        self.agent = self.dir + "/agent"
        self.env = {"PATH": os.environ["PATH"], "HOME": self.dir, "TERM": "dumb",
                    "XDG_CACHE_HOME": self.dir + "/cache", "XDG_STATE_HOME": self.dir + "/state"}
        self.run("demo", "--keep", self.agent, "-q", cwd=self.dir)
        self.run("db", "import", "-q", "advisories.json")

    def set(self, program, at, late):
        self.plan[:] = struct.pack("<QQQQ32s", at, late, 0, 0, program.encode())

    def counts(self):
        return struct.unpack("<QQ", self.plan[16:32])

    def run(self, *args, cwd=None, faulty=False, env=None, stdin=b""):
        """(exit code or text, stdout, stderr)"""
        more = {"LD_PRELOAD": self.bin + "/failmalloc.so",
                "FAILMALLOC": self.bin + "/plan"} if faulty else {}
        try:
            done = subprocess.run([self.bin + "/clawverify"] + list(args), cwd=cwd or self.agent,
                                  input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=dict(self.env, **more, **(env or {})), timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return "no end within %d s" % LIMIT, "", ""
        return (done.returncode, done.stdout.decode("utf-8", "replace"),
                done.stderr.decode("utf-8", "replace"))


def answers(text):
    """What a result says, without times: comparable."""
    try:
        result = json.loads(text)
    except ValueError:
        return None
    rows = [["", c["id"], c["outcome"]] for c in result.get("checks", [])]
    for a in result.get("artifacts", []):
        # where a tag points now is told when it can be asked; the lock decides
        rows += [[a["name"], c["id"], c["outcome"]] for c in a["checks"]
                 if c["id"] != "lock.tag-moved"]
        rows.append([a["name"], a["digest"] if "digest" in a else None, a["basis"]])
    return sorted(map(str, rows))


def no_lies(result_text):
    """Checks that say "fail" though nothing about the agent was wrong."""
    try:
        result = json.loads(result_text)
    except ValueError:
        return []
    found = []
    for part in [dict(result, name="agent")] + result.get("artifacts", []):
        found += ["%s %s fail: %s" % (part["name"], c["id"], c.get("found"))
                  for c in part.get("checks", []) if c["outcome"] == "fail"]
    return found


# ---- allocations ----

def points(total, faults):
    if not faults or total <= faults:
        return range(1, total + 1)
    # spread over all of it, the first ones (starting up) each
    step = (total - 20) / max(1, faults - 20)
    return sorted(set(list(range(1, 21)) + [int(20 + i * step) for i in range(1, faults - 19)]))


def check_run(code, out, err, good, ok_codes):
    if code == 0:
        return [] if good is None or answers(out) == good else ["passes, with other answers"]
    if code not in ok_codes:
        return ["exit %s: %s" % (code, (err or out).strip().splitlines()[-1:])]
    return no_lies(out)


def allocations(w, tap, program, verb, faults, after=None):
    w.set(program, 0, 0)
    code, out, err = w.run(*verb, faulty=True)
    good = answers(out) if "verify" in verb else None
    if code != 0:
        tap.say("%s: %s" % (program, " ".join(verb)), ["without a fault: exit %s %s" % (code, err)])
        return
    total = w.counts()[0]
    bad, codes, met = [], {}, 0
    for late in (0, 1):
        for at in points(total, faults):
            if after is not None:
                after(None)
            w.set(program, at, late)
            code, out, err = w.run(*verb, faulty=True)
            if w.counts()[1] == 0:
                continue
            met += 1
            codes[code] = codes.get(code, 0) + 1
            wrong = check_run(code, out, err, good, (3, 4))
            if after is not None:
                wrong += after(code)
            bad += ["allocation %d%s: %s" % (at, " and on" if late else "", x) for x in wrong]
    tap.say("%s: %s, an allocation fails" % (program, " ".join(verb)), bad,
            " (%d of %d allocations and from there on: %d faults, exit codes %s)"
            % (len(points(total, faults)), total, met,
               ", ".join("%s x%d" % (k, v) for k, v in sorted(codes.items(), key=str))))


def lock_whole(w):
    path = w.agent + "/clawverify.lock"
    with open(path, "rb") as f:
        before = f.read()

    def after(code):
        if code is None:
            with open(path, "wb") as f:
                f.write(before.replace(b'"size"', b'"size"'))
            os.unlink(path)
            return []
        left = sorted(n for n in os.listdir(w.agent) if "clawverify.lock" in n)
        if code != 0 and left:
            return ["left behind: %s" % left]
        if code == 0:
            with open(path, "rb") as f:
                return [] if f.read() == before else ["another lock was written"]
        return []
    return after


# ---- network ----

class Registry(http.server.ThreadingHTTPServer):
    """A registry that serves one layout, and faults the answer it is told to."""
    daemon_threads = True

    def __init__(self, layout):
        self.blobs, self.tags = {}, {}
        for name in os.listdir(layout + "/blobs/sha256"):
            with open(layout + "/blobs/sha256/" + name, "rb") as f:
                self.blobs["sha256:" + name] = f.read()
        with open(layout + "/index.json") as f:
            for e in json.load(f)["manifests"]:
                self.tags[e["annotations"]["org.opencontainers.image.ref.name"]] = e["digest"]
        self.fault, self.at, self.lasting = None, 0, False
        self.n, self.path_hit, self.hits = 0, None, 0
        self.mu = threading.Lock()
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def tell(self, fault, at, lasting):
        self.fault, self.at, self.lasting = fault, at, lasting
        self.n, self.path_hit, self.hits = 0, None, 0

    def handle_error(self, request, client_address):
        pass


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def send(self, status, body, kind="application/octet-stream", length=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def content(self):
        """(body, media type) or None"""
        s, part = self.server, self.path.split("/")
        if self.path == "/v2/":
            return b"{}", "application/json"
        name = part[-1]
        if part[-2] == "manifests":
            name = s.tags.get(name, name)
            body = s.blobs.get(name)
            if body is None:
                return None
            try:
                return body, json.loads(body)["mediaType"]
            except (ValueError, KeyError):
                return None
        if part[-2] == "referrers":
            tag = name.replace(":", "-")
            if tag in s.tags:
                return s.blobs[s.tags[tag]], "application/vnd.oci.image.index.v1+json"
            return None
        return (s.blobs[name], "application/octet-stream") if name in s.blobs else None

    def do_GET(self):
        s = self.server
        with s.mu:
            s.n += 1
            mine = s.fault is not None and (s.n == s.at or (s.lasting and self.path == s.path_hit))
            if mine:
                s.path_hit, s.hits = self.path, s.hits + 1
        found = self.content()
        if mine:
            return s.fault(self, found)
        return self.send(404, b"{}") if found is None else self.send(200, *found)

    do_HEAD = do_GET


def flipped(data):
    changed = bytearray(data or b"\0")
    changed[len(changed) // 2] ^= 1
    return bytes(changed)


def closed(h, found):
    h.close_connection = True


def truncated(h, found):
    body, kind = found or (b"{}", "x/y")
    h.send(200, body[:len(body) // 2], kind, len(body))
    h.close_connection = True


FAULTS = {
    "500": lambda h, f: h.send(500, b"{}"),
    "404": lambda h, f: h.send(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}'),
    "401": lambda h, f: h.send(401, b"{}"),
    "429": lambda h, f: h.send(429, b"{}"),
    "closed": closed,
    "truncated": truncated,
    "flipped": lambda h, f: h.send(200, flipped(f and f[0]), f[1] if f else "x/y"),
    "wrong type": lambda h, f: h.send(200, f[0] if f else b"{}", "text/html"),
    "empty": lambda h, f: h.send(200, b""),
    "another document": lambda h, f: h.send(
        200, b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",'
             b'"manifests":[]}', "application/vnd.oci.image.index.v1+json"),
}


def network(w, tap, step):
    reg = Registry(w.agent + "/runtime")
    path = w.dir + "/online"
    shutil.copytree(w.agent, path)
    with open(path + "/agent.json") as f:
        text = f.read()
    with open(path + "/agent.json", "w") as f:
        f.write(text.replace("oci-layout:runtime:1",
                             "127.0.0.1:%d/demo/runtime:1" % reg.server_address[1]))
    shutil.rmtree(path + "/runtime")
    reg.tell(None, 0, False)
    code, _, err = w.run("lock", "-q", cwd=path)
    assert code == 0, err

    def verify():
        cache = tempfile.mkdtemp(dir=w.dir)
        os.mkdir(cache + "/clawverify", 0o700)
        shutil.copy(w.dir + "/cache/clawverify/advisories.index", cache + "/clawverify")
        try:
            return w.run("verify", "-o", "json", "--timeout", "20s", cwd=path,
                         env={"XDG_CACHE_HOME": cache})
        finally:
            shutil.rmtree(cache)
    code, out, err = verify()
    assert code == 0, (code, out[-2000:], err)
    good, total = answers(out), reg.n
    for name, fault in FAULTS.items():
        bad, codes = [], {}
        for lasting in (False, True):
            for at in range(1, total + 1, step):
                reg.tell(fault, at, lasting)
                code, out, err = verify()
                if reg.hits == 0:
                    continue
                codes[code] = codes.get(code, 0) + 1
                if code == 0 and answers(out) != good:
                    bad.append("answer %d (%s): passes, with other answers" % (at, reg.path_hit))
                elif code not in (0, 1, 3):
                    bad.append("answer %d (%s): exit %s %s" % (at, reg.path_hit, code, err))
                elif name in ("500", "429", "closed") and code == 1:
                    bad.append("answer %d (%s): could not look, and says no: %s"
                               % (at, reg.path_hit, no_lies(out)))
        tap.say("network: an answer is %s" % name, bad, " (%d answers, once and lastingly: exit "
                "codes %s)" % (total, ", ".join("%s x%d" % x for x in sorted(codes.items(), key=str))))
    reg.shutdown()


def main():
    arg = argparse.ArgumentParser()
    arg.add_argument("--faults", type=int, default=0)
    arg.add_argument("--only", default="")
    opt = arg.parse_args()
    tap = Tap()
    if not os.path.exists(BUILD + "/tests/helpers/failmalloc.so"):
        print("ok - everything # SKIP no failmalloc.so (a sanitizer build)")
        print("# 0 passed, 0 failed, 1 skipped")
        return 0
    w = World()
    verify = ("verify", "-o", "json", "--offline")
    try:
        for program in ("clawverify", "clawverify-trust", "clawverify-contents"):
            if opt.only in program:
                allocations(w, tap, program, verify, opt.faults)
        if opt.only in "lock":
            allocations(w, tap, "clawverify", ("lock", "--offline", "-q"), opt.faults,
                        lock_whole(w))
            w.run("lock", "--offline", "-q")
        if opt.only in "import":
            allocations(w, tap, "clawverify-import", ("db", "import", "-q", "advisories.json"),
                        opt.faults)
            w.run("db", "import", "-q", "advisories.json")
        if opt.only in "network":
            network(w, tap, 1 if not opt.faults else max(1, 200 // opt.faults))
    finally:
        subprocess.run(["chmod", "-R", "u+w", w.dir])
        shutil.rmtree(w.dir, ignore_errors=True)
    if tap.passed + tap.failed == 0:
        tap.say("--only %s: nothing has that name" % opt.only, ["nothing was swept"])
    print("# %d passed, %d failed, %d skipped" % (tap.passed, tap.failed, tap.skipped))
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
