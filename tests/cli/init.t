#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""init: what it writes is in order, or it writes nothing and says which argument or file
is at fault."""
import os
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit

SKILL = "---\nname: notes\ndescription: how notes are written\n---\nWrite short ones.\n"


def wrong(tap, args, words):
    w = kit.World()
    w.write("prompt.md", "Be polite.\n")
    w.write("skills/notes/SKILL.md", SKILL)
    done = w.run("init", *args)
    tap.ok(done.code == 2 and words in done.err.replace("\n", " "), "init " + " ".join(args),
           "exit %d\n%s" % (done.code, done.text))
    tap.ok("json:" not in done.err and sorted(os.listdir(w.dir)) == ["prompt.md", "skills"],
           "and wrote nothing, nor names what is not there", done.text)
    w.close()


def odd_names(tap):
    """A name that no file of ours can hold is left out, and told."""
    for name in ("a\x01b", "new\nline", "\u202etxt", "\udcff"):
        w = kit.World()
        raw = os.fsencode(w.dir) + b"/skills/" + name.encode("utf-8", "surrogateescape")
        os.makedirs(raw)
        with open(raw + b"/SKILL.md", "w", encoding="utf-8") as f:
            f.write(SKILL)
        alone = w.run("init")
        tap.ok(alone.code == 2 and "skills/" in alone.err and "agent.json:" not in alone.err and
               os.listdir(w.dir) == ["skills"], "%r and nothing else: exit 2, its own path" % name,
               alone.text)
        w.write("prompt.md", "Be polite.\n")
        done = w.run("init")
        tap.ok(done.code == 0 and "left out" in done.err and "skills/" in done.err and
               "\x01" not in done.text and "\u202e" not in done.text,
               "%r beside a prompt: left out, and told" % name, done.text)
        tap.ok(w.run("lock").code == 0 and w.run("verify").code == 0, "and the rest is an agent")
        w.close()


def unpacked(tap):
    """A tool's directory is refused where it is named, told where it is found, and not
    locked: always with how to pack it."""
    w = kit.World()
    w.write("tools/fs/package.json", '{"name": "fs", "version": "1.0.0"}\n')
    w.write("tools/mb/manifest.json", "{}\n")
    w.write("tools/notes/README", "no tool\n")
    named = w.run("init", "--mcp", "fs=tools/fs")
    tap.ok(named.code == 2 and "--mcp: tools/fs is a directory" in named.err and
           "npm pack ./tools/fs" in named.err and os.listdir(w.dir) == ["tools"],
           "--mcp with a directory: exit 2, how to pack it, nothing written", named.text)
    alone = w.run("init")
    tap.ok(alone.code == 2 and "npm pack ./tools/fs" in alone.err.replace("\n", " ") and
           os.listdir(w.dir) == ["tools"], "nothing but unpacked tools: exit 2, and the same",
           alone.text)
    w.write("tools/a;reboot/package.json", "{}\n")
    hostile = w.run("init")
    tap.ok(hostile.code == 2 and "npm pack ./DIR" in hostile.err.replace("\n", " ") and
           "npm pack ./tools/a" not in hostile.err, "no command with what a shell would run",
           hostile.text)
    shutil.rmtree(w.path("tools/a;reboot"))
    w.write("prompt.md", "Be polite.\n")
    beside = w.run("init")
    tap.ok(beside.code == 0 and "left out" in beside.err and "npm pack ./tools/fs" in beside.err and
           ", and 1 more" in beside.err and "tools/" not in w.read("agent.json"),
           "beside a prompt: left out, and told", beside.text)
    tap.ok(w.run("lock").code == 0, "and the rest can be locked")
    w.write("agent.json", '{ "schema": "clawverify.agent/1", "name": "a", "artifacts": {\n'
            '  "fs": { "type": "mcp", "path": "tools/fs" } } }\n')
    by_hand = w.run("lock")
    tap.ok(by_hand.code == 3 and "tools/fs is a directory" in by_hand.err and
           "npm pack" in by_hand.err and "settle what else" not in by_hand.err,
           "written by hand: lock says how to pack it", by_hand.text)
    w.close()


def main():
    tap = kit.Tap()
    for args, words in (
            (["--model", "m=nowhere"], "--model: there is no nowhere in ."),
            (["--skill", "s=../x"], "--skill: found ../x, want a path below .:"),
            (["--prompt", "p=/etc/passwd"], "--prompt: found /etc/passwd"),
            (["--prompt", "p=prompt.md", "--image", "i=alpine"], "--image:"),
            (["--prompt", "p=a\x01b"], "control character"),
            (["--prompt", "P=prompt.md"], "want NAME=PATH"),
            (["--prompt", "p=prompt.md/x"], "there is no prompt.md/x")):
        wrong(tap, args, words)
    odd_names(tap)
    unpacked(tap)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
