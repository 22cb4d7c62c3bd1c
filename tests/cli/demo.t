#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""demo: each sample ends as it has to; the forms and places a report can take."""
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit

SAMPLES = {  # exit code, the problem that leads
    "good": (0, None, None),
    "tampered-model": (1, "llm", "lock.digest-mismatch"),
    "wrong-signer": (1, "runtime", "sig.untrusted-key"),
    "unsigned-image": (1, "runtime", "sig.absent"),
    "changed-tool": (1, "greeter", "lock.digest-mismatch"),
    "pickle-model": (1, "llm", "model.pickle"),
}
ALSO = {"changed-tool": "tool.lifecycle-script", "tampered-model": "sig.subject-mismatch"}


def validator():
    try:
        import jsonschema
    except ImportError:
        return None
    with open(os.path.join(kit.TOP, "verify", "schema", "result-1.json"), encoding="utf-8") as f:
        return jsonschema.Draft202012Validator(json.load(f))


def problems(result):
    for a in result["artifacts"] + [{"name": "", "checks": result["checks"]}]:
        for c in a["checks"]:
            if c["outcome"] not in ("pass", "not-applicable"):
                yield a["name"], c


def sample(tap, w, name, schema):
    code, artifact, check = SAMPLES[name]
    text = w.run("demo", name)
    tap.ok(text.code == code, "demo %s: exit %d" % (name, code), text.text)
    lead = re.search(r"^1\. (\S+)  (\S+)", text.out, re.M)
    found = lead.groups() if lead else (None, None)
    tap.ok(found == (artifact, check), "demo %s: the cause leads" % name, found)
    last = text.out.rstrip("\n").split("\n")[-1]
    tap.ok(last.startswith("PASS  demo: " if code == 0 else "FAIL  demo: do not launch: "),
           "demo %s: the last line" % name, last)
    wide = [line for line in text.text.splitlines() if len(line) > 86]
    tap.ok(not wide, "demo %s: no line is too wide" % name, wide)

    done = w.run("demo", name, "-o", "json")
    r = json.loads(done.out)
    tap.ok(done.code == code == r["exit_code"], "demo %s: -o json" % name, done.out[:400])
    if schema is None:
        tap.skip("demo %s: the schema" % name, "python3 has no jsonschema")
    else:
        wrong = [e.message for e in schema.iter_errors(r)]
        tap.ok(not wrong, "demo %s: as the schema says" % name, wrong)
    found = list(problems(r))
    tap.ok(all(c.get("message") and c.get("next") and c.get("reason") for _, c in found),
           "demo %s: each problem has a message and a next step" % name, found)
    ids = {c["id"] for _, c in found if c["outcome"] == "fail"}
    tap.ok(({check} if check else set()) <= ids and ALSO.get(name, check) in ids | {None},
           "demo %s: the checks that fail" % name, ids)
    lists = [a["checks"] for a in r["artifacts"]] + [r["checks"]]
    tap.ok(all([c["id"] for c in x] == sorted(c["id"] for c in x) for x in lists) and
           [a["name"] for a in r["artifacts"]] == sorted(a["name"] for a in r["artifacts"]),
           "demo %s: lists are sorted" % name)
    return r


def timeless(r):
    """A result without what differs from run to run."""
    if isinstance(r, dict):
        return {k: timeless(v) for k, v in r.items()
                if k not in ("time", "valid_until", "duration_ms", "request_id", "advisories")}
    return [timeless(v) for v in r] if isinstance(r, list) else r


def forms(tap, w):
    out = w.run("demo", "-o", "json=r.json", "-o", "text")
    # demo runs in a directory of its own, and the file is named from here
    tap.ok(out.code == 0 and json.loads(w.read("r.json"))["launchable"], "demo -o json=FILE", out.text)
    os.unlink(w.path("r.json"))
    w.sample()
    out = w.run("verify", "-o", "json=r.json", "-o", "text")
    tap.ok(out.code == 0 and "PASS  demo" in out.out and json.loads(w.read("r.json"))["launchable"],
           "-o json=FILE -o text: both", out.text)
    out = w.run("verify", "-o", "text=r.txt", "-o", "json")
    tap.ok(json.loads(out.out)["outcome"] == "pass" and "PASS  demo" in w.read("r.txt"),
           "-o text=FILE -o json: both", out.text)
    out = w.run("verify", "-q")
    tap.ok(out.code == 0 and out.text == "", "-q: nothing for a pass", out.text)
    out = w.run("verify", "-v")
    tap.ok("checks\n" in out.out and "image.layer-malformed" in out.out, "-v: passed checks too")
    out = w.run("verify", "--color", "always")
    tap.ok("\033[1;32mPASS\033[0m" in out.out, "--color always")
    for args, env in ((["--color", "never"], {"CLICOLOR_FORCE": "1"}), ([], {"NO_COLOR": "1"}),
                      ([], {})):
        out = w.run("verify", *args, env=env)
        tap.ok("\033" not in out.text, "no colour: %s %s" % (args, env), out.text)
    out = w.run("verify", "oci-layout:runtime:1", "-p", "policy.json", "-o", "json")
    r = json.loads(out.out)
    tap.ok(out.code == 0 and r["outcome"] == "pass" and not r["launchable"],
           "an artifact alone may pass and is never launchable", out.text)
    out = w.run("verify", "--db", "/dev/null")
    tap.ok(out.code == 2, "an index that is no file", out.text)
    os.rename(w.path("clawverify.lock"), w.path("away"))
    out = w.run("verify")
    tap.ok(out.code == 1 and re.search(r"^1\. agent  agent\.changed", out.out, re.M) and
           not re.search(r"^2\. ", out.out, re.M), "without a lock: told once", out.text)
    os.rename(w.path("away"), w.path("clawverify.lock"))
    os.rename(os.path.join(w.root, "cache", "clawverify", "advisories.index"), w.path("away"))
    out = w.run("verify")
    tap.ok(out.code == 3 and "A component has a known vulnerability" not in out.out and
           re.search(r"^1\. runtime  vuln\.index-absent  \(unknown\)", out.out, re.M),
           "what was not decided is not said to be so", out.text)
    os.rename(w.path("away"), os.path.join(w.root, "cache", "clawverify", "advisories.index"))
    out = w.run("verify", "--policy", "preset:strict")
    tap.ok(out.code == 1, "another policy is obeyed", out.text)
    out = w.run("verify", "--policy", "preset:audit", "-o", "json")
    r = json.loads(out.out)
    tap.ok(r["mode"] == "audit" and not r["launchable"], "audit is never launchable", out.text)
    out = w.run("verify", "--at", "2026-11-01T00:00:00Z", "-o", "json")
    tap.ok(json.loads(out.out)["launchable"] is False, "another time is never launchable", out.text)


def keep(tap):
    """What is printed after --keep works as it stands, in a shell, in any directory."""
    for name, where in (("good", "kept"), ("tampered-model", "it's kept"), ("pickle-model", "a b")):
        w = kit.World()
        done = w.run("demo", name, "--keep", where)
        tap.ok(done.code == SAMPLES[name][0], "demo %s --keep: exit" % name, done.text)
        last = re.search(r"^now:  (cd .*)\n      (clawverify verify.*)\n\Z", done.err, re.M)
        if not tap.ok(last, "demo %s --keep: what to do next is said" % name, done.err):
            continue
        again = w.shell(last.group(1) + "\n" + last.group(2))
        lead = [re.findall(r"^\d\. .*|^(?:PASS|FAIL)  demo", x, re.M) for x in (again.out, done.out)]
        tap.ok(again.code == done.code and lead[0] == lead[1],
               "demo %s --keep: and gives the same answer" % name, again.out)
        w.close()


def full(tap, w):
    """A result that could not be written was not given."""
    for args in (["verify"], ["verify", "-o", "json"], ["version"], ["explain"], ["policy", "show"],
                 ["help"], ["verify", "--help"], ["--help"], ["completion", "bash"], ["doctor"],
                 ["inspect", "llm"], ["trust", "list"], ["db", "status"], ["demo"], ["demo", "pickle-model"],
                 ["verify", "nowhere.json", "-o", "json"], ["lock", "--diff", "-o", "json"],
                 ["hook", "exec"], ["launch", "--print"]):
        if args[0] in ("lock", "launch") and w.run(*args).out == "":
            continue
        with open("/dev/full", "wb") as f:
            done = w.run(*args, stdout=f)
        tap.ok(done.code == 4 and "standard output: no space is left there" in done.err and
               "next:" not in done.err, "%s > /dev/full: exit 4, in words" % " ".join(args),
               "exit %d %s" % (done.code, done.err))
    done = w.run("verify", "-o", "json=/dev/full")
    tap.ok(done.code == 4, "-o json=/dev/full: exit 4", done.text)
    done = w.run("verify", "-o", "json=nowhere/r.json")
    tap.ok(done.code != 0, "-o json=nowhere/r.json: not 0", done.text)
    # a reader that goes away, and no standard output at all
    read, write = os.pipe()
    os.close(read)
    for args in (["verify"], ["verify", "-o", "json"], ["version"], ["help"]):
        done = w.run(*args, stdout=write)
        tap.ok(done.code == 4 and "standard output: its reader has gone" in done.err and
               "--store" not in done.err, " ".join(args) + " | nobody: exit 4, in words",
               "%d %s" % (done.code, done.err))
        done = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&-', kit.PROGRAM, *args], cwd=w.dir,
                              env=w.env, stderr=subprocess.PIPE, text=True, check=False)
        tap.ok(done.returncode == 4 and "standard output: it is closed" in done.stderr and
               "--store" not in done.stderr, " ".join(args) + " >&-: exit 4, in words",
               "%d %s" % (done.returncode, done.stderr))
    os.close(write)


def main():
    tap, w, schema = kit.Tap(), kit.World(), validator()
    for name in SAMPLES:
        first = sample(tap, w, name, schema)
        if name == "changed-tool":
            again = json.loads(w.run("demo", name, "-o", "json").out)
            tap.ok(timeless(first) == timeless(again), "the same findings give the same document")
    tap.ok(os.listdir(w.dir) == [], "demo leaves nothing behind", os.listdir(w.dir))
    forms(tap, w)
    keep(tap)
    full(tap, w)
    w.close()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
