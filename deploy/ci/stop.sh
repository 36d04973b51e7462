#!/usr/bin/env bash
# Write what the rehearsal saw to $REHEARSAL_FOLDER/transcript.json, and end it.
set -euo pipefail
folder="${REHEARSAL_FOLDER:-$PWD/.mutoscope}"
url="http://127.0.0.1:${REHEARSAL_PORT:-8700}"
{
  printf '{"jobs": '
  curl --silent --fail "$url/rehearsal/jobs?limit=1000"
  printf ', "webhooks": '
  curl --silent --fail "$url/rehearsal/webhooks?limit=1000"
  printf '}\n'
} >"$folder/transcript.json"
kill "$(cat "$folder/pid")"
echo "the transcript is in $folder/transcript.json"
