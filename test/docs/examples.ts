/** Bash functions that the preparations of examples use. */
export const prelude = `
fresh() { for name in "$@"; do oci rm --force "$name" >/dev/null 2>&1 || true; done; }
start() { fresh "$@"; for name in "$@"; do oci run -q -d --name "$name" debian:bookworm sleep 1000; done; }
ended() { fresh "$@"; for name in "$@"; do oci run -q -d --name "$name" debian:bookworm sh -c 'echo hello'; done; }
`;

const keys = 'test -e cosign.key || oci generate-key-pair';
const signed = `${keys}\noci sign --key cosign.key registry.example.com/team/app:v1`;
const attached =
  "echo '{}' > sbom.json\noci attach --artifact-type application/spdx+json registry.example.com/team/app:v1 sbom.json:application/json";
const bundle = 'rm -rf bundle\noci unpack debian:bookworm bundle\necho new > bundle/rootfs/new';
const pulledAnew = 'oci rmi app:v1 2>/dev/null || true';
const saved = 'oci copy docker://registry.example.com/team/app:v1 oci:kept:v1';
const again = 'oci copy oci:kept:v1 docker://registry.example.com/team/app:v1';

/**
 * What must be there before an example can be typed: by the command, for all of its examples, or by the example. Names such
 * as `web` and `3f2a` are those of a reader's containers; `$id` is what takes the place of an id or a digest.
 */
export const before: Readonly<Record<string, string>> = {
  append:
    'mkdir -p rootfs upper\necho new > rootfs/new\necho other > upper/other\ntar -czf files.tar.gz rootfs',
  'oci artifact pull registry.example.com/team/app@sha256:… --output ./sbom': `${attached}\nid=$(oci referrers --json registry.example.com/team/app:v1 | jq -r '.referrers[0].digest')`,
  attach: "echo '{}' > sbom.json",
  build:
    'mkdir -p packages/app\necho \'{"name":"app","version":"1.0.0","main":"index.js"}\' | tee package.json > packages/app/package.json\ntouch index.js packages/app/index.js',
  'oci build --locked -t app .': 'oci build --lock .',
  'oci delete registry.example.com/team/app@sha256:…': `${again}\nid=$(oci inspect --json docker://registry.example.com/team/app:v1 | jq -r .digest)`,
  delete: saved,
  exec: 'start web database',
  'generate-key-pair': 'rm -f cosign.key cosign.pub',
  'oci index add app:v1 app:v1-riscv64': 'oci index create app:v1 app:v1-amd64 app:v1-arm64',
  'oci index remove app:v1 linux/arm64': 'oci index create app:v1 app:v1-amd64 app:v1-arm64',
  index: pulledAnew,
  'oci kill --signal HUP web 3f2a':
    'start web\nfresh other\nid=$(oci run -q -d --name other debian:bookworm sleep 1000)',
  kill: 'start web',
  'oci load -i images.tar': 'oci pull debian:12\noci pull alpine\noci save debian:12 alpine -o images.tar',
  'docker save app:v1 | oci load': 'oci pull app:v1\noci save app:v1 | docker load',
  'oci load -i layout.tar --name app:v1': 'oci copy docker://debian:12 oci-archive:layout.tar',
  'oci login --username ann --password-stdin registry.example.com < password.txt':
    'echo secret > password.txt',
  'oci logs --follow --tail 20 web': 'ended web',
  'oci logs --json --tail 100 3f2a':
    "fresh other\nid=$(oci run -q -d --name other debian:bookworm sh -c 'echo hello')",
  logs: 'start web',
  'oci manifest add app:v1 app:v1-riscv64 --annotation org.opencontainers.image.version=1':
    'oci index create app:v1 app:v1-amd64 app:v1-arm64',
  manifest: pulledAnew,
  pause: 'start web database',
  'oci pause --json web database': 'oci unpause web',
  'oci pull --json quay.io/a/b@sha256:…':
    'id=$(oci inspect --json docker://quay.io/a/b:latest | jq -r .digest)',
  push: 'oci pull app:v1',
  rebase: pulledAnew,
  referrers: attached,
  repack: bundle,
  'oci rm web': 'ended web\noci wait web',
  'oci rm --force 3f2a': 'fresh other\nid=$(oci run -q -d --name other debian:bookworm sleep 1000)',
  rmi: 'fresh $(oci ps -aq)\noci pull debian:bookworm',
  'oci rmi 3f2a9c01d2e4':
    'oci pull app:v1-amd64\nid=$(oci inspect --json app:v1-amd64 | jq -r .digest | cut -c 8-19)',
  'oci run -d --name web -p 8080:80 nginx': 'fresh web\noci pull nginx',
  save: 'oci pull debian:12\noci pull alpine\noci pull app:v1',
  serve:
    'openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 1 -keyout key.pem -out cert.pem 2>/dev/null\noci copy docker://debian:12 oci:layout:v1',
  sign: keys,
  spec: 'mkdir -p bundle',
  squash: pulledAnew,
  stats: 'start web database',
  stop: 'start web database',
  tag: 'oci pull debian:bookworm',
  unpack: 'rm -rf bundle layout\noci copy docker://debian:12 oci:layout:v1',
  'oci unpack oci:layout:v1 bundle': 'rm -rf bundle',
  'oci unpack docker://registry.example.com/team/app:v1 bundle': 'rm -rf bundle',
  'oci unpause web': 'start web\noci pause web',
  'oci unpause --json web database': 'start web database\noci pause web database',
  validate: `${bundle}\noci save app:v1 -o app.tar`,
  verify: `${signed}\necho '{"default":[{"type":"sigstoreSigned","keyPath":"'$PWD'/cosign.pub"}]}' > policy.json`,
  wait: 'ended web job job-1 job-2',
};

/** What has to be put right again, for the commands that follow. */
export const after: Readonly<Record<string, string>> = {
  delete: again,
  index: pulledAnew,
  manifest: pulledAnew,
};

/** Examples that are for another shell than bash. */
export const shells: Readonly<Record<string, string>> = {
  'source <(oci completion zsh)':
    "zsh -fc 'autoload -U compinit; compinit -D -u; source <(oci completion zsh)'",
  'oci completion fish | source': "fish --no-config -c 'oci completion fish | source'",
};
