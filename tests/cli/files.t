#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""files: what init, lock and policy write and refuse; a run that is interrupted."""
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit


def init(tap):
    w = kit.World("my_agent")
    w.sample()
    for name in ("agent.json", "policy.json", "clawverify.lock"):
        os.unlink(w.path(name))
    done = w.run("init")
    tap.ok(done.code == 0, "init: exit 0", done.text)
    for part in ("image", "model", "mcp", "skill", "prompt"):
        tap.ok(re.search(r"^  %s " % part, done.err, re.M), "init: finds the %s" % part, done.err)
    tap.ok(w.run("policy", "check").code == 0, "init: the policy is in order")
    tap.ok(w.run("lock").code == 0, "init: the agent can be locked")
    done = w.run("verify", "-o", "json")
    tap.ok(json.loads(done.out)["outcome"] in ("pass", "fail"), "init: and judged", done.text)
    before = w.read("agent.json"), w.read("policy.json")
    done = w.run("init")
    tap.ok(done.code == 2 and "does not replace" in done.err, "init: replaces nothing", done.text)
    os.unlink(w.path("policy.json"))
    tap.ok(w.run("init").code == 2 and not os.path.exists(w.path("policy.json")),
           "init: nor writes half of it")
    w.write("policy.json", before[1])
    os.unlink(w.path("agent.json"))
    tap.ok(w.run("init").code == 2 and not os.path.exists(w.path("agent.json")),
           "init: nor the other half")
    os.unlink(w.path("policy.json"))
    os.symlink("elsewhere.json", w.path("agent.json"))
    tap.ok(w.run("init").code == 2 and not os.path.exists(w.path("elsewhere.json")),
           "init: nor through a link")
    os.unlink(w.path("agent.json"))
    done = w.run("init", "--image", "runtime=registry.example/a:1", "--key", "maker.pub",
                 "--preset", "strict")
    text = w.read("agent.json")
    tap.ok(done.code == 0 and "registry.example/a:1" in text and '"model"' in text and
           "oci-layout" not in text, "init --image: this one, and the other parts here", text)
    tap.ok('"maker.pub"' in w.read("policy.json") and w.run("policy", "check").code == 0,
           "init --key: a policy with it")
    os.unlink(w.path("agent.json"))
    os.unlink(w.path("policy.json"))
    done = w.run("init", "--skill", "s=notes")
    text = w.read("agent.json")
    tap.ok(done.code == 0 and '"notes"' in text and '"model"' not in text,
           "init --skill: what is named and no more", text)
    w.close()


def lock(tap):
    w = kit.World()
    w.sample()
    old = w.read("clawverify.lock")
    tap.ok(w.run("lock", "--check").code == 0, "lock --check: 0 when nothing changed")
    os.unlink(w.path("clawverify.lock"))
    tap.ok(w.run("lock", "--check").code == 1, "lock --check: 1 when there is none")
    tap.ok(not os.path.exists(w.path("clawverify.lock")), "lock --check: writes nothing")
    tap.ok(w.run("lock").code == 0 and w.read("clawverify.lock") == old,
           "lock: the same parts, the same bytes")
    w.write("prompt.md", "Be kind.\n")
    w.write("notes/extra.txt", "more\n")
    done = w.run("lock", "--check")
    tap.ok(done.code == 1 and "prompt" in done.out, "lock --check: 1 when something changed",
           done.text)
    done = w.run("lock", "--diff")
    tap.ok(done.code == 0 and "prompt" in done.out and "notes" in done.out and
           "llm" not in done.out, "lock --diff: what would change, and only that", done.text)
    tap.ok(w.read("clawverify.lock") == old, "lock --diff: writes nothing")
    done = w.run("verify")
    step = re.search(r"clawverify lock --update\s+(\S+)", done.out)
    tap.ok(done.code == 1 and step, "verify: says how to take it", done.text)
    done = w.run("verify", w.dir, cwd="/")
    told = re.findall(r"clawverify (lock --update \S+ \S+)",
                      " ".join(done.out.split()))
    tap.ok(told and all(w.run(*x.split(), "--check", cwd="/").code in (0, 1) for x in told),
           "verify: and from elsewhere, with the agent's path", done.out)
    tap.ok(w.run("lock", "--update", step[1]).code == 0, "lock --update: as verify told")
    new = w.read("clawverify.lock")
    tap.ok(new != old, "lock --update: changes the lock")
    tap.ok(w.run("lock", "--check").code == 1, "lock --update: the other one stays as it was")
    tap.ok(w.run("lock", "--update", "nobody").code == 2 and w.read("clawverify.lock") == new,
           "lock --update: of no artifact")
    tap.ok(w.run("lock", "-u", "notes", "-u", "prompt").code == 0 and
           w.run("lock", "--check").code == 0, "lock -u -u: both")
    # a lock that contradicts itself, and one that somebody formatted anew
    good = w.read("clawverify.lock")
    for name, text in (
            ("a file's digest", re.sub(r'("SKILL.md": "0644 \d+ sha256:)[0-9a-f]', r"\g<1>f", good)),
            ("formatted anew", json.dumps(json.loads(good))),
            ("comments", "// mine\n" + good),
            ("half of it", good[:len(good) // 2]),
            ("nothing", "")):
        tap.ok(text != good, "lock: %s: is another one" % name)
        w.write("clawverify.lock", text)
        done = w.run("verify")
        tap.ok(done.code == 2 and "clawverify.lock" in done.err, "lock: %s: exit 2" % name,
               "%d %s" % (done.code, done.text))
    w.close()


def policy(tap):
    w = kit.World()
    w.sample()
    good = w.read("policy.json")
    for name, text, words in (
            ("a key twice", good.replace('"name": "demo",', '"name": "demo", "name": "x",'), "name"),
            ("an unknown key", good.replace('"endorsers"', '"endorser"'), "did you mean"),
            ("a wrong type", good.replace('"name": "demo"', '"name": 7'), "string"),
            ("an unknown word", good.replace('"best-effort"', '"bestest"'), "best-effort"),
            ("an unknown check", good.replace('"rules"', '"checks": {"vuln.knwon": "advisory"}, "rules"'),
             "vuln.known"),
            ("an unknown signer", good.replace('"signed_by": ["maker"]', '"signed_by": ["makr"]'),
             "makr"),
            ("a check that cannot be advisory",
             good.replace('"rules"', '"checks": {"lock.digest-mismatch": "advisory"}, "rules"'),
             "lock.digest-mismatch"),
            ("a pattern that is none",
             good.replace('"keys": ["maker.pub"],', '"keys": ["maker.pub"], "identities": ['
                          '{"identity": "me", "issuer": "https://id.example"},'
                          '{"identity_pattern": "me@(a", "issuer_pattern": "https://.*x"}],'),
             "the pattern me@(a cannot be read: at character 5: "),
            ("too deep", good.replace('"rules"', '"x-deep": ' + "[" * 100 + "]" * 100 + ', "rules"'),
             ""),
            ("cut off", good[:200], ""),
            ("another schema", good.replace("policy/1", "policy/2"), "policy/1"),
            ("no object", "[]", "object")):
        tap.ok(text != good, "policy: %s: is another one" % name)
        w.write("policy.json", text)
        for args in (["policy", "check"], ["verify"], ["lock"]):
            done = w.run(*args)
            tap.ok(done.code == 2, "policy: %s: %s: exit 2" % (name, args[0]), done.text)
            tap.ok(re.search(r"policy\.json:\d+:\d+: ", done.err),
                   "policy: %s: %s: file, line and column" % (name, args[0]), done.err)
            tap.ok(words in done.err, "policy: %s: %s: says so" % (name, args[0]), done.err)
    w.write("policy.json", "//" + "x" * (1 << 20) + "\n" + good)
    done = w.run("policy", "check")
    tap.ok(done.code == 2 and "policy.json" in done.err, "policy: too large: exit 2", done.err)
    for option, other in (("identity", "issuer"), ("issuer", "identity")):
        done = w.run("verify", "prompt.md", "--%s-pattern" % option, "a[", "--" + other, "x")
        tap.ok(done.code == 2 and "--%s-pattern: the pattern a[ cannot be read" % option in
               done.err.replace("\n", " "), "--%s-pattern: none: exit 2, and which" % option,
               done.text)
    w.write("policy.json", good)
    done = w.run("policy", "check")
    tap.ok(done.code == 0, "policy: in order again", done.text)
    for preset in ("strict", "standard", "audit"):
        done = w.run("policy", "show", "preset:" + preset)
        tap.ok(done.code == 0 and json.loads(done.out)["name"] == preset,
               "policy show preset:" + preset, done.text)
    w.close()


class Silent(http.server.BaseHTTPRequestHandler):
    """A registry that takes its time."""

    def do_GET(self):
        self.server.asked.set()
        self.server.over.wait(30)

    do_HEAD = do_GET

    def log_message(self, *args):
        pass


def who_decides(tap):
    """Which policy judged is told, above all when nobody chose it; and on no, what passed
    and where to read more."""
    w = kit.World("who")
    w.write("p.md", "Be polite.\n")
    w.write("policy.json", '{ "schema": "clawverify.policy/1", "name": "own",\n'
            '  "extends": "preset:standard" }\n')
    agent = ('{ "schema": "clawverify.agent/1", "name": "who", %s"artifacts": {\n'
             '  "p": { "type": "prompt", "path": "p.md" } } }\n')
    note = "preset:strict decides"
    for policy, args, chosen, words in (
            ("", [], "default", "agent.json names no policy: " + note),
            ('"policy": "policy.json", ', [], "agent", None),
            ('"policy": "preset:strict", ', [], "agent", None),
            ("", ["--policy", "policy.json"], "option", None),
            ("", ["p.md"], "default", "no --policy is given: " + note),
            ("", ["p.md", "--policy", "preset:strict"], "option", None)):
        w.write("agent.json", agent % policy)
        w.run("lock")
        told = "%s verify %s: " % (policy or "no policy,", " ".join(args))
        done = w.run("verify", *args)
        tap.ok((words in done.out) if words else (note not in done.out),
               told + (words or "no note"), done.text)
        result = json.loads(w.run("verify", *args, "-o", "json").out)
        tap.ok(result["policy"].get("chosen_by") == chosen, told + "chosen_by " + chosen,
               result["policy"])
        last = done.out.splitlines()[-1]
        if done.code == 1:
            tap.ok(re.match(r"FAIL  \w+: do not launch: \d+ failed, \d+ undecided, %d passed, "
                            r"0 uncovered, " % result["counts"]["passed"], last),
                   told + "what passed", last)
            tap.ok(done.out.splitlines()[-2] == "      more: clawverify explain "
                   "basis.insufficient", told + "where to read more", done.out)
        else:
            tap.ok(done.code == 0 and last.startswith("PASS  ") and "more:" not in done.out,
                   told + "the last line of a pass", done.text)
    quiet = w.run("verify", "-q", "p.md")
    tap.ok(note not in quiet.out, "-q: without the note", quiet.text)
    w.close()


def interrupted(tap):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    server.daemon_threads = True
    server.over = threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for sig in (signal.SIGINT, signal.SIGTERM):
        for verb in ("lock", "verify"):
            server.asked = threading.Event()
            w = kit.World()
            w.write("agent.json", json.dumps({
                "schema": "clawverify.agent/1", "name": "slow", "policy": "preset:standard",
                "artifacts": {"i": {"type": "image",
                                    "ref": "127.0.0.1:%d/a:1" % server.server_port}}}))
            p = subprocess.Popen([kit.PROGRAM, verb, "-o", "json=r.json"], cwd=w.dir, env=w.env,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            server.asked.wait(20)
            p.send_signal(sig)
            out, err = p.communicate(timeout=20)
            name = "%s, %s" % (verb, sig.name)
            tap.ok(p.returncode == -sig, name + ": ends by the signal",
                   "%s %s %s" % (p.returncode, out, err))
            tap.ok(b"PASS" not in out + err, name + ": nothing like a pass", out + err)
            tap.ok(os.listdir(w.dir) == ["agent.json"], name + ": nothing half-written",
                   os.listdir(w.dir))
            w.close()
    server.over.set()
    server.shutdown()
    server.server_close()


def main():
    tap = kit.Tap()
    for part in (init, lock, policy, who_decides, interrupted):
        part(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
