#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""options: every option of every verb, given nothing, far too much, and what it cannot
mean: exit 2, in words, and nothing is done. An option that help knows and the table below
does not is a failure, so that none comes without its wrong values."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit

LONG = "a/" * 40000
TIMES = ["0s", "0", "-1s", "-5m", "1", "s", "1.5h", "1e3s", "99999999999999999999d", "soon", "5 m",
         "+5m", "5M"]
FILES = ["nowhere/file", LONG, ".", "/dev/null/x"]
NAMES = ["no-equals", "=x", "n=", "N=x", "n=nowhere", "n=/etc", "n=../x", "n=" + LONG]
PLATFORM = ["linux", "linux/", "/amd64", "linux/amd64/v8/x", "a b/c", LONG]
# verb and its arguments: option: values that it cannot mean
SESSION = {"policy": FILES + ["preset:none", "preset:"], "db": FILES, "platform": PLATFORM,
           "lock": [LONG, ".", "/dev/null/x"]}
GLOBAL = {"color": ["blue", LONG], "progress": ["fast", LONG], "timeout": TIMES + ["2d"],
          "output": ["yaml", "json=", "=x", LONG]}
# who signed, said by options
WHO = ["--identity", "x", "--issuer", "y"]
SIGNED = {"bundle": FILES, "root": FILES + ["agent.json"], "identity": [LONG], "issuer": [LONG],
          "annotation": ["x", "=x", "x=y", LONG],
          "allowed-signers": FILES, "principal": ["x", LONG], "namespace": ["x", LONG],
          "minisign-key": FILES, "signify-key": FILES,
          "claim": ["x", "=x", "repo=1", "issuer=x", "source_repository_id=", LONG]}
VERBS = {
    "demo": ([], {"keep": [".", "nowhere/x", LONG]}),
    "init": ([], {"preset": ["lax", LONG], "name": ["A B", "-x", LONG], "image": NAMES,
                  "model": NAMES, "mcp": NAMES, "skill": NAMES, "prompt": NAMES, "key": FILES,
                  "identity": ["x", LONG], "issuer": ["x", LONG]}),
    "lock": ([], dict(SESSION, update=["nobody", LONG])),
    "verify": ([], dict(SESSION, at=["yesterday", "2026-13-01", "0", LONG])),
    "verify llm": (WHO, dict(SIGNED, key=FILES, signature=FILES, type=[LONG])),
    "inspect": (["llm"], {"policy": SESSION["policy"], "db": FILES, "platform": PLATFORM,
                          "root": FILES}),
    "explain": ([], {}),
    "policy": (["check"], {}),
    "trust keygen": ([], {"out": ["nowhere/x", LONG, "/dev/null/x"], "type": ["rsa", LONG]}),
    "trust list": ([], {"policy": SESSION["policy"]}),
    "trust verify-bundle": (["llm"] + WHO, SIGNED),
    "trust sign": (["policy.json"], {"key": FILES}),
    "endorse": (["notes", "--yes", "--key", "k.key"],
                dict(SESSION, expires=TIMES + ["5000d"], key=FILES)),
    "db import": (["advisories.json"], {"db": ["nowhere/x", LONG, ".", "/dev/null/x"],
                                        "name": [LONG]}),
    "db status": ([], {"db": FILES}),
    "bundle create": ([], dict(SESSION, key=FILES, out=["/dev/null/x", LONG])),
    "bundle verify": (["nowhere"], {"key": FILES, "gate": FILES, "out": [LONG]}),
    "launch": (["--print"], dict(SESSION, key=FILES, out=["/dev/null/x", LONG], gate=FILES,
                                 host=["tcp://1.2.3.4", "nowhere", LONG],
                                 **{"with": ["podman", LONG]})),
    "hook": (["exec"], {"gate": FILES, "out": [LONG, "/dev/null/x"]}),
    "doctor": ([], {}),
    "completion": (["bash"], {}),
    "version": ([], {}),
    "help": ([], {}),
}
STORE = ["/dev/null/x", "/proc/x", LONG]  # where a verb has a store at all
HAS_STORE = ("lock", "verify", "inspect", "endorse", "db import", "db status", "bundle create",
             "launch")


def options(w, verb):
    """Of a verb's help: its own options, and those of every verb, that take a value."""
    text = w.run(*verb.split()[:1], "--help").out
    own, common = (text.split("\nOptions of every command\n") + [""])[:2]
    found = [re.findall(r"--([a-z]+) [A-Z]", part) for part in (own.split("\nOptions\n")[-1], common)]
    return set(found[0]) if "\nOptions\n" in text else set(), set(found[1])


def listing(w):
    """Every file that is there, and what was written to it when."""
    return sorted((os.path.join(d, f), os.lstat(os.path.join(d, f)).st_mtime_ns)
                  for d, _, files in os.walk(w.dir) for f in files)


def refused(tap, w, args, name):
    before = listing(w)
    done = w.run(*args, stdin=b"{}")
    tap.ok(done.code == 2 and done.err.strip(), name + ": exit 2, in words",
           "exit %d\n%s" % (done.code, done.text[:400]))
    tap.ok("PASS" not in done.text and "defect" not in done.text and "--store\n" not in done.err and
           len(done.err) < 3000, name + ": nothing else", done.text[:600])
    tap.ok(listing(w) == before, name + ": nothing was written", set(listing(w)) ^ set(before))


def main():
    tap, w, bare = kit.Tap(), kit.World(), kit.World()
    w.sample()
    w.run("trust", "keygen", "--out", "k")
    bare.write("prompt.md", "Be polite.\n")
    known = set()
    for verb, (args, table) in VERBS.items():
        own, common = options(w, verb)
        known |= {(verb.split()[0], o) for o in table}
        tap.ok(common == set(GLOBAL) | {"store"}, verb + ": options of every verb are known", common)
        where = bare if verb == "init" else w
        for option, values in sorted(dict(GLOBAL, **table).items()):
            for value in [""] + values:
                if option == "name" and verb == "db import" and value == LONG:
                    continue
                rest = [a for a in args if option not in ("key",) or a not in ("--key", "k.key")]
                refused(tap, where, verb.split() + rest + ["--" + option, value],
                        "%s --%s '%.20s'" % (verb, option, value))
        for value in [""] + (STORE if verb in HAS_STORE else []):
            refused(tap, where, verb.split() + args + ["--store", value],
                    "%s --store '%.20s'" % (verb, value))
    for verb in {v.split()[0] for v in VERBS}:
        own, _ = options(w, verb)
        missing = {(verb, o) for o in own} - known
        tap.ok(not missing, verb + ": each option has its wrong values", missing)
    w.close()
    bare.close()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
