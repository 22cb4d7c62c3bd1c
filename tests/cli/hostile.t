#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hostile: what an artifact, a file name or a server chose never reaches a terminal,
a CI log or a JSON document as it is."""
import http.server
import json
import os
import re
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit

ESC, BIDI, ZERO, TAG = "\x1b[2J\x1b]0;owned\x07", "\u202epass\u202c", "\u200b", "\U000e0041"
LINE = "x\n::error file=a::PASS  demo: all is well\r\nPASS  demo\x1b[0m\x9b31m"
NASTY = ESC + BIDI + ZERO + TAG + LINE
# characters that move a cursor, change a direction, or are not seen
BAD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
                 "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]")


def strings(v):
    if isinstance(v, dict):
        for k, x in v.items():
            yield k
            yield from strings(x)
    elif isinstance(v, list):
        for x in v:
            yield from strings(x)
    elif isinstance(v, str):
        yield v


def clean(tap, done, name, fail=True):
    """Both outputs hold nothing of the kind, and no line begins as the text wanted."""
    text = done.text
    bad = BAD.search(text)
    tap.ok(not bad, name + ": no raw character", bad and repr(text[max(0, bad.start() - 60):][:160]))
    faked = [x for x in text.splitlines() if x.startswith(("::", "PASS  demo"))]
    tap.ok(not faked, name + ": no line of its own", faked)
    if fail:
        tap.ok(done.code != 0, name + ": is no pass", text)
    if done.out.startswith("{"):
        raw = [x for x in strings(json.loads(done.out)) if BAD.search(x) or "\n" in x]
        tap.ok(not raw, name + ": nor in a JSON string", raw)


def verify(tap, w, name, *args):
    for form in ("text", "json"):
        clean(tap, w.run("verify", "-v", *args, "-o", form), "%s, %s" % (name, form))
    clean(tap, w.run("lock", "--diff"), name + ", lock --diff", fail=False)
    clean(tap, w.run("lock", "--check"), name + ", lock --check")


def files(tap):
    """Names and contents of files in a skill and a model."""
    for what in ("notes", "llm"):
        for i, bad in enumerate((ESC, BIDI, "a" + ZERO, LINE, "\udcff\udcfe")):
            w = kit.World()
            w.sample()
            with open(os.fsencode(w.path(what)) + b"/" +
                      os.fsencode(bad.replace("/", "-").encode("utf-8", "surrogateescape")),
                      "w", encoding="utf-8") as f:
                f.write("x")
            verify(tap, w, "a file's name in %s, %d" % (what, i))
            clean(tap, w.run("inspect", "./" + what), "inspect %s, %d" % (what, i), fail=False)
            w.close()


def texts(tap):
    w = kit.World()
    w.sample()
    w.write("prompt.md", NASTY)
    w.write("notes/SKILL.md", "---\nname: " + NASTY + "\n---\n")
    verify(tap, w, "a prompt and a skill")
    w.write("llm/config.json", json.dumps({NASTY: NASTY}) + "\x1b")
    verify(tap, w, "a model's configuration")
    w.close()


def configuration(tap):
    """Our own kinds of files, written by somebody else."""
    w = kit.World()
    w.sample()
    agent, policy = w.read("agent.json"), w.read("policy.json")
    for name, text in (
            ("an unknown key", agent.replace('"name"', json.dumps(NASTY) + ': 1, "name"')),
            ("an artifact's name", agent.replace('"llm": {', json.dumps(NASTY) + ": {")),
            ("an agent's name", agent.replace('"name": "demo"', '"name": ' + json.dumps(NASTY))),
            ("a raw escape", agent.replace('"demo"', '"' + ESC + '"')),
            ("raw bytes", agent.replace('"demo"', '"' + NASTY.replace('"', "") + '"')),
            ("a path", agent.replace('"notes" }', json.dumps(NASTY) + " }")),
            ("a reference", agent.replace('"oci-layout:runtime:1"', json.dumps(NASTY)))):
        w.write("agent.json", text)
        for form in ("text", "json"):
            done = w.run("verify", "-o", form)
            clean(tap, done, "agent.json: %s, %s" % (name, form))
            tap.ok(done.code in (1, 2), "agent.json: %s: exit 1 or 2" % name, done.code)
    w.write("agent.json", agent)
    w.write("policy.json", policy.replace('"name"', json.dumps(NASTY) + ': 1, "name"', 1))
    for form in ("text", "json"):
        clean(tap, w.run("verify", "-o", form), "policy.json: an unknown key, %s" % form)
    w.write("policy.json", policy)
    w.write("clawverify.lock", w.read("clawverify.lock").replace('"llm"', json.dumps(NASTY)))
    clean(tap, w.run("verify"), "clawverify.lock: a name")
    w.close()


def arguments(tap):
    w = kit.World()
    w.sample()
    for args in (["verify", NASTY], ["verify", "--" + NASTY], [NASTY], ["explain", NASTY],
                 ["demo", NASTY], ["inspect", NASTY], ["policy", "check", NASTY],
                 ["policy", NASTY], ["endorse", NASTY, "--yes"], ["lock", "--update", NASTY],
                 ["trust", "show", NASTY], ["verify", "--timeout", NASTY],
                 ["verify", "--at", NASTY], ["verify", "--platform", NASTY],
                 ["verify", "--color", NASTY], ["verify", "-o", NASTY], ["db", "import", NASTY],
                 ["bundle", "verify", NASTY], ["launch", "--with", NASTY], ["hook", NASTY],
                 ["completion", NASTY], ["init", "--name", NASTY], ["init", "--image", NASTY],
                 ["trust", "keygen", "--type", NASTY], ["db", NASTY], ["help", NASTY]):
        clean(tap, w.run(*args), "argument of %s" % " ".join(args).replace(NASTY, "..."))
    w.close()


class Rude(http.server.BaseHTTPRequestHandler):
    """A registry whose every answer is made to be shown."""

    def do_GET(self):
        body = json.dumps({"errors": [{"code": NASTY, "message": NASTY, "detail": NASTY}]}).encode()
        self.send_response_only(self.server.status, "no\x1b[2J::error::")
        self.send_header("Content-Type", "application/json\x1b[2J")
        self.send_header("Docker-Content-Digest", "sha256:\x1b[2J")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_POST = do_GET

    def log_message(self, *args):
        pass


def registry(tap):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Rude)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for server.status in (200, 400, 404):
        w = kit.World()
        w.write("agent.json", json.dumps({
            "schema": "clawverify.agent/1", "name": "demo", "policy": "preset:standard",
            "artifacts": {"i": {"type": "image",
                                "ref": "127.0.0.1:%d/a:1" % server.server_port}}}))
        for form in ("text", "json"):
            clean(tap, w.run("verify", "-o", form), "a registry's answer %d, %s" % (server.status, form))
        clean(tap, w.run("lock"), "a registry's answer %d, lock" % server.status)
        w.close()
    server.shutdown()
    server.server_close()


def sbom(tap):
    """Advisories hold text of others too."""
    w = kit.World()
    w.sample()
    adv = json.loads(w.read("advisories.json"))
    one = dict(adv[0] if isinstance(adv, list) else adv)
    one["id"], one["summary"] = "GO-2026-9999", NASTY
    one["affected"] = [{"package": {"ecosystem": "Go", "name": "example.test/greet"},
                        "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]
    w.write("bad.json", json.dumps(one))
    done = w.run("db", "import", "bad.json", "--name", NASTY)
    clean(tap, done, "db import", fail=False)
    clean(tap, w.run("db", "status"), "db status", fail=False)
    for form in ("text", "json"):
        done = w.run("verify", "-o", form)
        clean(tap, done, "an advisory's summary, %s" % form)
    tap.ok(done.code == 1 and "GO-2026-9999" in done.out, "the advisory was looked at", done.text)
    w.close()


def main():
    tap = kit.Tap()
    for text in (ESC, BIDI, ZERO, TAG, LINE):  # a test that cannot fail is a defect
        tap.ok(BAD.search(text) and BAD.search(NASTY), "what is looked for would be found")
    for part in (files, texts, configuration, arguments, registry, sbom):
        part(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
