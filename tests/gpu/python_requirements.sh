#!/usr/bin/env bash
# Prints those lines of requirements/*.txt, hashes included, that the tests through a server import.
set -euo pipefail
cd "$(dirname "$0")/../.."
for name in brotli certifi gevent geventhttpclient greenlet grpcio numpy packaging protobuf python-rapidjson tritonclient \
  typing-extensions urllib3 zope-event zope-interface iniconfig pluggy pygments pytest; do
  awk -v name="$name==" 'index($0, name) == 1 {on = 1} on {print} on && !/\\$/ {on = 0}' requirements/run.txt requirements/test.txt
done
