#!/bin/sh
# The step of action.yml: an image becomes a bundle. Inputs come as INPUT_… and never become words of a shell's program.
set -eu

if [ -n "${INPUT_OCI:-}" ]; then
  oci() { sh -c "$INPUT_OCI"' "$@"' oci "$@"; }
elif ! command -v oci >/dev/null 2>&1; then
  oci() { npx --yes --package=@ocijs/cli@0.1.0 oci "$@"; }
fi

registry() {
  command=$1
  shift
  if [ -n "${INPUT_AUTHFILE:-}" ]; then set -- --authfile "$INPUT_AUTHFILE" "$@"; fi
  oci "$command" --progress plain "$@"
}

image=$INPUT_IMAGE
if [ -n "${INPUT_DIGEST:-}" ]; then image="${image%@*}@$INPUT_DIGEST"; fi

echo "::group::pull $image"
set -- "$image"
if [ -n "${INPUT_PLATFORM:-}" ]; then set -- --platform "$INPUT_PLATFORM" "$@"; fi
digest=$(registry pull --quiet "$@")
echo '::endgroup::'

if [ -n "${INPUT_KEY:-}" ]; then
  echo "::group::verify $image"
  registry verify --key "$INPUT_KEY" "$image"
  echo '::endgroup::'
fi

echo "::group::unpack into $INPUT_BUNDLE"
oci unpack --progress plain "$@" "$INPUT_BUNDLE"
echo '::endgroup::'

bundle=$(cd "$INPUT_BUNDLE" && pwd)
{
  echo "digest=$digest"
  echo "bundle=$bundle"
  echo "rootfs=$bundle/rootfs"
} >>"$GITHUB_OUTPUT"
