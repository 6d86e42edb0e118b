#!/bin/sh
# A CI job as a shell script: pull by digest, verify, unpack, smoke test, report, push. Needs oci and jq.
#   IMAGE DIGEST KEY DESTINATION   what is wanted; see README.md
set -eu
: "${IMAGE:?}" "${DIGEST:?}" "${KEY:?}" "${DESTINATION:?}"
pinned=$IMAGE@$DIGEST

oci pull --json "$pinned" >pull.json
jq -r '"pulled \(.digest): \(.blobs | length) blobs, \(.bytesFetched) bytes"' pull.json

signer=$(oci verify --json --key "$KEY" "$pinned" | jq -er '.signatures[0].identity')
echo "signed as $signer"

rootfs=$(oci unpack --json "$pinned" bundle | jq -er .rootfs)
test -x "$rootfs/bin/sh"
echo "unpacked, $(jq -r '.process.args | join(" ")' bundle/config.json) is its command"

answer=$(oci run --rm "$pinned" sh -c 'echo "works as $(id -u)"')
echo "smoke test: $answer"
test "$answer" = 'works as 0'

oci explore "$pinned" --export report.html
test -s report.html

pushed=$(oci push --json "$pinned" "$DESTINATION" | jq -er .digest)
test "$pushed" = "$DIGEST"
echo "pushed $DESTINATION@$pushed"
