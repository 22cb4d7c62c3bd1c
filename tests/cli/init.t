#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""init: what it writes is in order, or it writes nothing and says which argument or file
is at fault."""
import os
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
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
