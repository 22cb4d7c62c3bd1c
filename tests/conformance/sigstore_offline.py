# SPDX-License-Identifier: Apache-2.0
"""pytest plugin: the sigstore-conformance suite asks a server for a token before each item,
also for those that only verify. It reads three members of it and uses none."""
import base64
import json
import time

import urllib3


class _Answer:
    def __init__(self, data):
        self.data = data


def _request(*_args, **_kwargs):
    part = lambda o: base64.b64encode(json.dumps(o).encode()).rstrip(b"=")
    claims = {"email": "nobody@example.test", "iss": "https://issuer.example.test",
              "exp": int(time.time()) + 3600}
    return _Answer(b".".join([part({"alg": "none"}), part(claims), part({})]))


urllib3.request = _request
