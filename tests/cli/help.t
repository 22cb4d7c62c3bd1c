#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""help: help, explanations, completion and manual pages tell what there is, and no more."""
import os
import re
import shlex
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit

# Examples that are not run here, and why.
NOT_RUN = {
    "clawverify launch --with docker": "an engine; launch.t runs it with a stand-in",
    "clawverify launch --print agents/invoice": "launch.t",
    "clawverify launch sha256:4f1c... --out /srv/bundles": "launch.t",
    "clawverify completion bash > /etc/bash_completion.d/clawverify": "a place outside",
}
# What a path or name of an example is in the world in which it is run.
STANDS_FOR = {
    "agents/invoice": ".", "registry.example/acme/agent:1.4": "registry.example/acme/agent:1",
    "registry.example/agent:1": "registry.example/acme/agent:1", "models/llm": "./llm",
    "Go.zip": "advisories.json", "PyPI.zip": "advisories.json", "npm.zip": "advisories.json",
    "ci.key": "mine.key", "security.key": "mine.key", "team.key": "mine.key", "/srv/bundles": "bundles", "pdf": "notes",
    "/tmp/sample": "kept", "ci": "new", "cosign.pub": "maker.pub",
}
# Exit codes of examples that do not pass in that world.
ENDS = {"clawverify demo tampered-model": 1, "clawverify demo pickle-model --keep /tmp/sample": 1,
        "clawverify hook exec < request.json": 2,
        "clawverify hook exec --gate gate.json --out bundles < request.json": 2,
        "clawverify endorse pdf": 2}  # nobody is there to agree


def verbs(w):
    text = w.run("--help").out
    part = text[text.index("Commands\n"):].split("\n\n")[0]
    return re.findall(r"^  (\S+) ", part, re.M)


def options(text):
    """Long and short options in the lists of a help text."""
    return set(re.findall(r"^  (?:-\w, |    )--([\w-]+)", text, re.M))


def helps(tap, w, names):
    """Each verb: help both ways, no wide line, only options that exist."""
    all_options = {}
    for name in names:
        one, two = w.run(name, "--help"), w.run("help", name)
        tap.ok(one.code == 0 == two.code and one.out == two.out and one.err == "",
               "%s --help, help %s" % (name, name), one.text)
        wide = [x for x in one.out.splitlines() if len(x) > 80]
        tap.ok(not wide, "%s: no line is too wide" % name, wide)
        all_options[name] = options(one.out)
        named = set(re.findall(r"--([a-z][\w-]*)", one.out))
        tap.ok(named <= all_options[name], "%s: names only options that it has" % name,
               named - all_options[name])
        for option in all_options[name]:
            done = w.run(name, "--" + option, "x", "--help")
            if "there is no option" in done.err:
                tap.ok(False, "%s --%s exists" % (name, option), done.err)
        tap.ok(re.match(r"  clawverify %s" % name, one.out), "%s: examples come first" % name)
    return all_options


def example_world(line):
    """Everything that examples speak of, under its own name."""
    w = kit.World("work")
    w.sample()
    if "registry.example" in line:
        w.serve("runtime")
    w.run("trust", "keygen")
    w.run("trust", "keygen", "--out", "mine")
    w.write("request.json", "{}")
    w.write("inline.json", '{"schema": "clawverify.policy/1", "name": "p", "version": 1, '
                           '"extends": "preset:standard"}')
    keys = '"bundle_keys": ["mine.pub"], "policies": [{"name": "p", "path": "%s"}]'
    w.write("gate.json", '{"schema": "clawverify.gate-config/1", %s}' % keys % w.path("policy.json"))
    return w


def kit_shell(line):
    w = kit.World()
    done = w.shell(line)
    w.close()
    return done


def examples(tap, texts):
    ends = dict(ENDS)
    if not kit.confined():
        ends["clawverify doctor"] = ends["clawverify inspect registry.example/acme/agent:1.4"] = 3
    for text in texts:
        for line in re.findall(r"^\s+(clawverify .*)$", text, re.M):
            if line in NOT_RUN:
                done = kit_shell(line.split(" > ")[0] + " --help")
                tap.ok(done.code == 0, "example not run, but read: %s: %s" % (line, NOT_RUN[line]),
                       done.text)
                continue
            w = example_world(line)
            words = shlex.split(line)
            if words[1] == "init":
                for name in ("agent.json", "policy.json"):
                    os.unlink(w.path(name))
            if words[1] == "bundle" and words[2] == "verify":
                done = w.run("bundle", "create", "--key", "mine.key", "--out", "bundles")
                words[3] = w.path("bundles", os.listdir(w.path("bundles"))[0])
                words[words.index("--key") + 1] = "mine.pub"
            words = [STANDS_FOR.get(x, x) for x in words]
            words = [x if "=" not in x or x.startswith("json=") else
                     x.split("=")[0] + "=" + STANDS_FOR.get(x.split("=")[1], x.split("=")[1])
                     for x in words]
            if words[1:3] == ["trust", "keygen"]:
                shutil.rmtree(os.path.join(w.root, "state"))
            if words[1:3] == ["trust", "sign"]:  # a policy without files beside it
                words[3] = "inline.json"
            command = " ".join(x if x in "<>" else shlex.quote(x) for x in words)
            done = w.shell(command)
            want = ends.get(line, 0)
            tap.ok(done.code == want, "example: %s: exit %d" % (line, want),
                   "exit %d of %s\n%s" % (done.code, command, done.text))
            w.close()


def explanations(tap, w):
    ids = re.findall(r"^(\S+) ", w.run("explain").out, re.M)
    tap.ok(len(ids) > 60, "explain: lists the checks", len(ids))
    for check in ids:
        done = w.run("explain", check)
        good = (done.code == 0 and done.out.startswith(check + ": ") and
                "Why it matters" in done.out and "What you can do" in done.out)
        related = done.out.split("See also")[1].split() if "See also" in done.out else []
        wide = [x for x in done.out.splitlines() if len(x) > 80]
        tap.ok(good and set(related) <= set(ids) and check not in related and not wide,
               "explain " + check, done.out)
    # commands that explanations tell to run are commands
    names = verbs(w)
    told = set(re.findall(r"clawverify ([a-z]+)(?= [a-zN-]|\s|;|$)",
                          " ".join(" ".join(w.run("explain", c).out.split("What you can do")[1]
                                            .split("\n\n")[0].split()) for c in ids)))
    tap.ok(told and told <= set(names), "next steps name commands that exist", told - set(names))


def completion(tap, w, names):
    if not shutil.which("bash"):
        return tap.skip("completion", "there is no bash")
    script = w.run("completion", "bash").out
    w.write("c.bash", script)

    def words(*line):
        code = 'set -u; . ./c.bash; COMP_WORDS=(%s); COMP_CWORD=%d; _clawverify; echo "${COMPREPLY[@]-}"'
        done = subprocess.run(["bash", "-c", code % (" ".join(shlex.quote(x) for x in line),
                                                     len(line) - 1)], cwd=w.dir, env=w.env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        return done.stdout.split()

    tap.ok(words("clawverify", "") == names, "completion: verbs", words("clawverify", ""))
    tap.ok(words("clawverify", "ver") == ["verify", "version"], "completion: ver...")
    for name in names:
        want = options(w.run(name, "--help").out)
        found = {x[2:] for x in words("clawverify", name, "--")}
        tap.ok(found == want, "completion: options of %s" % name, found ^ want)
    return None


def manual(tap, names, all_options):
    page = os.path.join(kit.TOP, "docs", "man", "clawverify.1")
    text = open(page, encoding="utf-8").read()
    told = set(re.findall(r"Fl Fl ([a-z][\w-]*)", text))
    have = set().union(*all_options.values())
    tap.ok(told == have, "clawverify.1: the options that there are", told ^ have)
    body = text[text.index(".Ss Commands"):text.index(".Ss Options of several")]
    tap.ok(all(re.search(r"^\.It .*\b%s\b" % n, body, re.M) for n in names),
           "clawverify.1: every command")
    code = subprocess.run([sys.executable, "-B", os.path.join(kit.TOP, "docs", "man", "checks.py"),
                           "--check"], check=False).returncode
    tap.ok(code == 0, "clawverify-checks.7 is what explain.def says (else: docs/man/checks.py)")
    if not shutil.which("mandoc"):
        return tap.skip("manual pages: mandoc -Tlint", "there is no mandoc")
    for name in ("clawverify.1", "clawverify-checks.7"):
        done = subprocess.run(["mandoc", "-Tlint", "-Wall", os.path.join(os.path.dirname(page), name)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        said = [x for x in done.stdout.splitlines() if "referenced manual not found" not in x]
        tap.ok(not said, "%s: mandoc -Tlint" % name, "\n".join(said))
    return text


def main():
    tap, w = kit.Tap(), kit.World()
    done = w.run("--help")
    tap.ok(done.code == 0 and done.out == w.run("help").out == w.run("-h").out and
           max(map(len, done.out.splitlines())) <= 80, "--help, -h, help", done.text)
    names = verbs(w)
    all_options = helps(tap, w, names)
    explanations(tap, w)
    completion(tap, w, names)
    page = manual(tap, names, all_options)
    blocks = "\n".join("  " + x for b in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", page or "",
                                                   re.S | re.M) for x in b.splitlines())
    examples(tap, [w.run(n, "--help").out.split("\n\n")[0] for n in names] + [blocks])
    tap.ok(w.run("--version").out == w.run("version").out != "", "--version")
    w.close()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
