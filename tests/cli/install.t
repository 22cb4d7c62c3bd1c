#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""install: make install into a DESTDIR, and what lies there works and can be removed."""
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit


def files(root):
    return sorted(os.path.relpath(os.path.join(d, f), root)
                  for d, _, names in os.walk(root) for f in names)


def main():
    tap, w = kit.Tap(), kit.World()
    if not shutil.which("make"):
        tap.skip("make install", "there is no make")
        w.close()
        return tap.end()
    dest = os.path.join(w.root, "dest")
    # nothing is built again: -o keeps the programs as they are
    old = [x for p in os.listdir(kit.BUILD) if p.startswith("clawverify")
           for x in ("-o", os.path.join(kit.BUILD, p))]
    make = ["make", "-s", "-C", kit.TOP, "BUILD=" + kit.BUILD, "DESTDIR=" + dest, "PREFIX=/usr", *old]
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(make + ["install"], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    tap.ok(done.returncode == 0, "make install", done.stdout)
    have = files(dest)
    for name in ("usr/bin/clawverify", "usr/libexec/clawverify/clawverify-trust",
                 "usr/libexec/clawverify/clawverify-contents",
                 "usr/libexec/clawverify/clawverify-import",
                 "usr/libexec/clawverify/clawverify-fetch", "usr/share/man/man1/clawverify.1",
                 "usr/share/man/man7/clawverify-checks.7",
                 "usr/share/clawverify/schema/result-1.json",
                 "usr/share/clawverify/presets/strict.json",
                 "usr/share/doc/clawverify/formats.md"):
        tap.ok(name in have, "installed: " + name, have)
    bin_files = [f for f in have if os.access(os.path.join(dest, f), os.X_OK)]
    tap.ok(len(bin_files) == 5, "only programs are executable", bin_files)

    # from there: the workers are found beside it or in libexec, not in the build
    program = os.path.join(dest, "usr/bin/clawverify")
    env = dict(w.env, PATH="/usr/bin:/bin")
    run = lambda *a: subprocess.run([program, *a], cwd=w.dir, env=env, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True, check=False)
    done = run("doctor")
    tap.ok(done.returncode in (0, 3) and kit.BUILD not in done.stdout and
           "libexec/clawverify" in done.stdout, "doctor: workers in libexec", done.stdout)
    for name, code in (("good", 0), ("pickle-model", 1)):
        done = run("demo", name)
        tap.ok(done.returncode == code, "demo %s, from the DESTDIR" % name, done.stdout)
    os.rename(os.path.join(dest, "usr/libexec/clawverify/clawverify-trust"), w.path("gone"))
    done = run("demo")
    tap.ok(done.returncode == 2, "without a worker: no pass", done.stdout)

    done = subprocess.run(make + ["uninstall"], env=os.environ, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    tap.ok(done.returncode == 0 and files(dest) == [], "make uninstall leaves nothing",
           done.stdout + str(files(dest)))
    w.close()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
