#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""image.place-unsafe, whole: images whose links, volumes and programs would make a launch show
other files than the verified ones."""
import hashlib
import io
import json
import os
import sys
import tarfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kit


def layer(entries):
    """{"path": "content", "dir/": None, "link": ("target",)} as a tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, what in entries.items():
            info = tarfile.TarInfo(name.rstrip("/"))
            info.mode = 0o755
            if what is None:
                info.type = tarfile.DIRTYPE
            elif isinstance(what, tuple):
                info.type, info.linkname = tarfile.SYMTYPE, what[0]
            else:
                info.size = len(what)
            tar.addfile(info, io.BytesIO(what.encode()) if info.size else None)
    return out.getvalue()


def layout(w, layers, config):
    """An OCI layout "img" with one image, "1"."""
    def put(data, media):
        digest = hashlib.sha256(data).hexdigest()
        w.write("img/blobs/sha256/" + digest, data)
        return {"mediaType": media, "digest": "sha256:" + digest, "size": len(data)}

    kind = "application/vnd.oci.image."
    tars = [layer(x) for x in layers]
    ids = ["sha256:" + hashlib.sha256(t).hexdigest() for t in tars]
    conf = {"architecture": "amd64", "os": "linux", "config": config,
            "rootfs": {"type": "layers", "diff_ids": ids}}
    manifest = put(json.dumps({
        "schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
        "config": put(json.dumps(conf).encode(), kind + "config.v1+json"),
        "layers": [put(t, kind + "layer.v1.tar") for t in tars]}).encode(),
        kind + "manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "1"}
    w.write("img/index.json", json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    w.write("img/oci-layout", '{"imageLayoutVersion":"1.0.0"}')


def verify(layers, config, launch, allow=()):
    w = kit.World()
    layout(w, layers, config)
    w.write("skills/pdf/SKILL.md", "---\nname: pdf\ndescription: d\n---\ngood\n")
    w.write("skills/pdf/scripts/run.sh", "echo verified\n")
    w.write("agent.json", json.dumps({
        "schema": "clawverify.agent/1", "name": "t", "policy": "policy.json",
        "artifacts": {"runtime": {"type": "image", "ref": "oci-layout:img:1",
                                  "platform": "linux/amd64"},
                      "pdf": {"type": "skill", "path": "skills/pdf"}},
        "launch": dict({"image": "runtime", "mounts": {"/skills/pdf": "pdf"},
                        "limits": {"memory": "64MiB", "cpus": 1, "pids": 50}}, **launch)}))
    w.write("policy.json", json.dumps({
        "schema": "clawverify.policy/1", "name": "p", "extends": "preset:standard",
        "uncovered": {"accept": ["writable", "bind"]}, "launch": {"allow": list(allow)},
        "rules": [{"name": "a", "match": {"type": ["image", "skill"]}, "basis": ["pinned"],
                   "sbom": {"required": False}, "vulnerabilities": "list"}]}))
    w.run("lock", "-q")
    done = w.run("verify")
    w.close()
    return done


def writable(path, kind="volume"):
    return {"writable": {path: dict({"kind": kind}, **({"size": "1MiB"} if kind == "tmpfs"
                                                       else {}))}}


def main():
    tap = kit.Tap()
    app = {"app/": None, "app/run": "#!/bin/sh\n", "app/data/": None, "skills/": None}
    link = {"var/": None, "var/state": ("/skills/pdf",), "skills/": None}
    entry = {"Entrypoint": ["/app/run"]}
    refused = [
        ("a volume that a link leads to a verified tree", [link], {}, writable("/var/state"),
         "/var/state, which is /skills/pdf in the image, hides the verified tree"),
        ("a tmpfs there", [link], {}, writable("/var/state", "tmpfs"), "hides the verified"),
        ("the link by a higher layer", [{"var/": None, "var/state/": None}, {
            "var/.wh.state": ""}, {"var/state": ("../skills/pdf",)}], {}, writable("/var/state"),
         "hides the verified tree"),
        ("a volume of the image in a verified tree", [app],
         {"Volumes": {"/skills/pdf/scripts": {}}}, {}, "a volume that the image declares"),
        ("a volume of the image that is a link to one", [link], {"Volumes": {"/var/state": {}}},
         {}, "hides the verified tree"),
        ("a volume over the image's program", [app], entry, writable("/app"),
         "covers what is run is /app/run"),
        ("a volume of the image over it", [app], dict(entry, Volumes={"/app": {}}), {},
         "covers what is run is /app/run"),
        ("the working directory", [app], {"Entrypoint": ["node"], "WorkingDir": "/app"},
         writable("/app"), "the working directory"),
        ("the launch's own command", [app], {}, dict(writable("/app"), command=["/app/run"]),
         "launch.writable-code"),
    ]
    for what, layers, config, launch, told in refused:
        done = verify(layers, config, launch)
        tap.ok(done.code == 1 and told in " ".join(done.text.split()),
               "refused: " + what, done.text)
    passes = [
        ("a link that leads elsewhere", [dict(link, **{"var/state": ("/srv",)})], {},
         writable("/var/state"), ()),
        ("data below the program's directory", [app], entry, writable("/app/data"), ()),
        ("a volume of the image elsewhere", [app], {"Volumes": {"/data": {}}}, {}, ()),
        ("policy accepts a writable program", [app], entry, writable("/app"),
         ("writable-code",)),
    ]
    for what, layers, config, launch, allow in passes:
        done = verify(layers, config, launch, allow)
        tap.ok(done.code == 0, "passes: " + what, done.text)
    done = verify([link], {}, writable("/var/state"), ("writable-code",))
    tap.ok(done.code == 1 and "image.place-unsafe" in done.text,
           "a writable program accepted: a verified tree is not hidden all the same", done.text)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
