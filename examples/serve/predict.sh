#!/bin/sh
# Post images to a service with curl, and print a line for each face: sh predict.sh IMAGE…
# Start one first: emopy serve
set -eu
url=${EMOPY_URL:-http://127.0.0.1:8000} key=${EMOPY_KEY:-}

for image in "$@"; do
  # --fail-with-body: an answer of 400 or more is printed, and ends the script.
  # --retry: while the service has no free place (429), wait as long as it asks for.
  curl --silent --show-error --fail-with-body --retry 5 --form "file=@$image" \
    ${key:+--header "Authorization: Bearer $key"} "$url/v1/predict" |
    python3 -c '
import json, sys
answer = json.load(sys.stdin)
for result in answer.get("results", []):
    for face in result["faces"]:
        emotion = face["emotion"] or "not sure"
        print(result["source"], face["face"], emotion, "{:.2f}".format(face["confidence"]))
if "detail" in answer:
    sys.exit(answer["detail"])
'
done
