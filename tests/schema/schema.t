#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# schema.t: the JSON Schemas and what they are schemas of (check.py).
if ! command -v python3 >/dev/null; then
	echo "1..1"
	echo "ok 1 - schemas # SKIP there is no python3"
	echo "# 0 passed, 0 failed, 1 skipped"
	exit 0
fi
exec python3 -B "$(dirname "$0")/check.py"
