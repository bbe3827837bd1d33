#!/bin/sh
# Post images to a service with curl, and print a line for each face: sh predict.sh IMAGE…
# Start one first: emopy serve
set -eu
url=${EMOPY_URL:-http://127.0.0.1:8000} key=${EMOPY_KEY:-}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
trap 'exit 1' HUP INT TERM

for image in "$@"; do
  # --fail-with-body: the answer is kept, and the exit code is 22, if its status is 400 or more.
  # --retry: while the service has no free place (429), wait as long as it asks for.
  # --output: curl empties a file before it tries again, but not a pipe.
  # Quotes: commas and semicolons in a name belong to it.
  name=$(printf '%s' "$image" | sed 's/[\\"]/\\&/g')
  code=0
  curl --silent --show-error --fail-with-body --retry 5 --output "$answer" \
    --form "file=@\"$name\"" ${key:+--header "Authorization: Bearer $key"} "$url/v1/predict" || code=$?
  if [ "$code" -ne 0 ] && [ "$code" -ne 22 ]; then
    exit "$code" # no answer, and curl has said why
  fi
  python3 -c '
import json, sys
try:
    answer = json.load(sys.stdin)
except ValueError:
    sys.exit("The answer is not JSON. Is there a service of EmoPy at this address?")
for result in answer.get("results", []):
    for face in result["faces"]:
        emotion = face["emotion"] or "not sure"
        print(result["source"], face["face"], emotion, "{:.2f}".format(face["confidence"]))
if "detail" in answer:
    sys.exit(answer["detail"])
' <"$answer"
  [ "$code" -eq 0 ] || exit 1
done
