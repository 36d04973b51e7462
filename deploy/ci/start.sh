#!/usr/bin/env bash
# Start a mutoscope that rehearses, wait until it is ready, and point the SDKs of the steps that come after at it.
# The same for GitHub, GitLab and a shell: options of `mutoscope serve` are this script's own.
# MUTOSCOPE: the command, where it is not on the PATH. REHEARSAL_PORT: the port (8700).
# REHEARSAL_FOLDER: where its data, its log and its variables lie (./.mutoscope).
set -euo pipefail
read -r -a command <<<"${MUTOSCOPE:-mutoscope}"
port="${REHEARSAL_PORT:-8700}"
folder="${REHEARSAL_FOLDER:-$PWD/.mutoscope}"
url="http://127.0.0.1:$port"
mkdir -p "$folder"
variables="$folder/variables.env"
"${command[@]}" env --server "$url" --format dotenv >"$variables"

# No key of a vendor reaches the server, also of those that the job has: it can pay nobody.
drop=()
while IFS='=' read -r name _; do drop+=(-u "$name"); done <"$variables"
env "${drop[@]}" nohup "${command[@]}" serve --rehearse --allow-private --port "$port" --data "$folder/data" "$@" \
  >"$folder/said.txt" 2>"$folder/log.txt" </dev/null &
echo $! >"$folder/pid"

for _ in $(seq 600); do
  if curl --silent --fail --output /dev/null "$url/readyz"; then
    echo "mutoscope rehearses on $url"
    if [ -n "${GITHUB_ENV:-}" ]; then cat "$variables" >>"$GITHUB_ENV"; fi
    if [ -n "${GITHUB_OUTPUT:-}" ]; then echo "url=$url" >>"$GITHUB_OUTPUT"; fi
    exit 0
  fi
  kill -0 "$(cat "$folder/pid")" 2>/dev/null || break
  sleep 0.1
done
echo "mutoscope did not start:" >&2
cat "$folder/said.txt" "$folder/log.txt" >&2
exit 1
