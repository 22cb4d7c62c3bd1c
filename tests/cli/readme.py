#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""readme: every block of commands in README.md is run, and what it shows is what comes out.

    tests/cli/readme.py            check, as TAP
    tests/cli/readme.py --update   write what comes out now into README.md

A fenced block is preceded by <!-- run: WORLD --> or <!-- not run: WHY -->. Blocks of
one WORLD run in one directory, made by world_WORLD() of kit.py, one after another.
In ```console, each line that begins with "$ " is run and what follows has to come
out of it, times and ages aside. Other blocks are run as one shell script that has
to exit 0, or are files (```jsonc).
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit

README = os.path.join(kit.TOP, "README.md")
BLOCK = re.compile(r"(?P<head>(?:<!-- (?P<how>run|not run): (?P<what>[^\n]*?) -->\n)?)"
                   r"```(?P<lang>\w*)\n(?P<body>.*?)^```$", re.S | re.M)
# Under the test's own time a slow machine says more; a sanitizer build is not confined.
NORMAL = [
    (re.compile(r"\b\d+(\.\d+)? m?s\b"), "N ms"),
    (re.compile(r"valid until \S+"), "valid until TIME"),
    (re.compile(r"until     \S+,"), "until     TIME,"),
    (re.compile(r"advisories \d+ [hd] old"), "advisories N h old"),
    (re.compile(r"^(workers confined|WORKERS NOT CONFINED) \([^)]*\)", re.M), "workers (...)"),
    (re.compile(r"^  remark +sandbox\.unavailable: .*\n", re.M), ""),
    (re.compile(r"^(pass|fail|unknown) [a-z0-9._-]+, N ms\n", re.M), ""),
    (re.compile(r"^sha256:[0-9a-f]{64}$", re.M), "sha256:KEY"),
]


def normal(text):
    for pattern, to in NORMAL:
        text = pattern.sub(to, text)
    return text


def console(world, body):
    """The block as it comes out now. What demo shows has a line with a $ in it."""
    out = []
    for line in body.splitlines():
        if line.startswith("$ ") and not (out and world.one):
            out.append(line + "\n" + world.shell(line[2:]).text)
    return "".join(out)


def main():
    update = sys.argv[1:] == ["--update"]
    text = open(README, encoding="utf-8").read()
    tap, worlds = kit.Tap(), {}

    def block(m):
        name = "README.md:%d" % (text.count("\n", 0, m.start("body")))
        if m["how"] == "not run":
            tap.ok(bool(m["what"]), "%s: not run: %s" % (name, m["what"]))
            return m[0]
        if m["how"] != "run":
            tap.ok(False, "%s: says how it is tested" % name)
            return m[0]
        world = worlds.get(m["what"]) or kit.world(m["what"])
        worlds[m["what"]] = world
        if m["lang"] == "console":
            now = console(world, m["body"])
            if update:
                return m["head"] + "```console\n" + now + "```"
            tap.same(normal(now), normal(m["body"]), "%s: shows what comes out" % name)
        elif m["lang"] == "jsonc":
            world.write("policy.json", m["body"])
            done = world.shell("clawverify policy check")
            tap.ok(done.code == 0, "%s: is a policy" % name, done.text)
        else:
            done = world.shell(m["body"])
            tap.ok(done.code == 0, "%s: exits 0" % name, done.text)
        return m[0]

    new = BLOCK.sub(block, text)
    for world in worlds.values():
        world.close()
    if update:
        open(README, "w", encoding="utf-8").write(new)
        return 0
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
