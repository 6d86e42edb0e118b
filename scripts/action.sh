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

# A line break would write commands of the workflow, or outputs, of its own; a leading dash would be a flag.
check() {
  case "$2" in
    -* | *"
"*)
      echo "error: the input $1 begins with a dash or has a line break" >&2
      exit 2
      ;;
  esac
}
check image "$INPUT_IMAGE"
check digest "${INPUT_DIGEST:-}"
check platform "${INPUT_PLATFORM:-}"
check bundle "$INPUT_BUNDLE"

image=$INPUT_IMAGE
if [ -n "${INPUT_DIGEST:-}" ]; then image="${image%@*}@$INPUT_DIGEST"; fi
set --
if [ -n "${INPUT_PLATFORM:-}" ]; then set -- --platform "$INPUT_PLATFORM"; fi

echo "::group::pull $image"
digest=$(registry pull --quiet "$@" "$image")
echo '::endgroup::'

# From here on by digest alone: what is verified is what was pulled and will be unpacked, wherever the tag moves meanwhile.
name=${image%@*}
case "${name##*/}" in *:*) name=${name%:*} ;; esac
pinned=$name@$digest

if [ -n "${INPUT_KEY:-}" ]; then
  echo "::group::verify $pinned"
  registry verify --key "$INPUT_KEY" "$pinned"
  echo '::endgroup::'
fi

echo "::group::unpack into $INPUT_BUNDLE"
registry unpack "$@" "$pinned" "$INPUT_BUNDLE"
echo '::endgroup::'

bundle=$(cd "$INPUT_BUNDLE" && pwd)
{
  echo "digest=$digest"
  echo "bundle=$bundle"
  echo "rootfs=$bundle/rootfs"
} >>"$GITHUB_OUTPUT"
