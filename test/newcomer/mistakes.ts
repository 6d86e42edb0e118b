/** A command line as a newcomer may type it, and the exit code that it should have. */
export interface Typed {
  readonly line: string;
  readonly status: number;
}

const ok = (line: string): Typed => ({ line, status: 0 });
const fails = (line: string): Typed => ({ line, status: 1 });
const wrong = (line: string): Typed => ({ line, status: 2 });
const ends = (status: number, line: string): Typed => ({ line, status });

/** As an ordinary user who may write nothing here. */
const nobody = 'setpriv --reuid 65534 --regid 65534 --clear-groups';
/** On a file system of one megabyte. */
const fullDisk = (line: string) =>
  `unshare -m sh -c 'mkdir -p small && mount -t tmpfs -o size=1m none small && ${line}'`;

/** First steps, and what goes wrong at them. */
export const mistakes: readonly Typed[] = [
  ok('oci'),
  ok('oci --version'),
  ok('oci pull --help'),
  ok('oci doctor'),

  wrong('oci hlep'),
  wrong('oci pul debian:bookworm'),
  wrong('oci pull'),
  wrong('oci pull --plattform linux/amd64 debian:bookworm'),
  wrong('oci pull --platform windows95 debian:bookworm'),
  wrong('oci pull Debian:bookworm'),
  wrong('oci pull https://registry.example.com/team/app:v1'),
  wrong('oci run'),
  wrong('oci run --memory lots debian:bookworm'),
  wrong('oci unpack debian:bookworm'),
  wrong('oci logs'),

  fails('oci pull debian:bokworm'),
  fails('oci pull debain:bookworm'),
  fails('oci pull localhost:1/app'),
  fails('oci pull no.such.host.invalid/app:1'),
  fails('oci inspect oci:nowhere'),
  fails('oci inspect oci-archive:nowhere.tar'),
  fails('oci load -i file'),
  fails('oci push never-built:1 registry.example.com/team/x:1'),
  fails('oci tag never-built:1 other:1'),
  fails('oci rmi never-built:1'),
  fails(
    'oci pull --expect-digest sha256:0000000000000000000000000000000000000000000000000000000000000000 debian:bookworm',
  ),
  fails('oci verify --key team.pub registry.example.com/team/app:v1'),
  fails('oci verify --key nowhere.pub registry.example.com/team/app:v1'),

  ok('oci pull debian:bookworm'),
  ok('oci pull debian:bookworm'),
  ok('oci images'),
  ok('oci run --rm debian:bookworm echo it works'),
  ends(127, 'oci run --rm debian:bookworm nosuchcommand'),
  ends(126, 'oci run --rm debian:bookworm /etc/passwd'),
  ends(3, 'oci run --rm debian:bookworm sh -c "exit 3"'),
  ends(125, 'oci run --rm debain:bookworm true'),
  ends(2, 'oci run --rm --mount type=bind,src=/nowhere/at/all,dst=/data debian:bookworm true'),
  ok('oci run -d --name web debian:bookworm sleep 100'),
  ends(125, 'oci run -d --name web debian:bookworm sleep 100'),
  fails('oci rm web'),
  ok('oci rm -f web'),
  fails('oci logs web'),
  ends(125, 'oci exec web true'),
  ok('oci ps'),

  ok('oci unpack debian:bookworm bundle'),
  fails('oci unpack debian:bookworm bundle'),
  fails('oci unpack debian:bookworm /proc/bundle'),
  fails('oci cat debian:bookworm /etc/nothing-like-it'),
  wrong('oci build -t app .. -f nowhere'),

  fails(`${nobody} oci images --store /root/not-for-you`),
  fails(`${nobody} oci unpack oci:nowhere /root/bundle`),
  fails(`HOME=/nonexistent OCI_STORE= ${nobody} oci images`),
  fails(fullDisk('oci --store small/store pull debian:bookworm')),
  fails(fullDisk('oci unpack debian:bookworm small/bundle')),
  fails('unshare -n oci pull docker://registry.example.com/team/app:v1'),
  fails('oci pull --store file debian:bookworm'),

  ok(
    'oci serve ./layout --listen 127.0.0.1:5098 --creds anna:secret & sleep 3; oci push debian:bookworm --creds anna:secret 127.0.0.1:5098/x:1',
  ),
  fails(
    'oci serve ./layout --listen 127.0.0.1:5098 --creds anna:secret & sleep 3; oci pull 127.0.0.1:5098/x:1',
  ),
  fails(
    'oci serve ./layout --listen 127.0.0.1:5098 --creds anna:secret & sleep 3; oci pull --creds anna:wrong 127.0.0.1:5098/x:1',
  ),
  fails('oci serve ./layout --listen 203.0.113.1:5000'),
  ok('oci fsck'),

  // Files that are something else.
  wrong('oci build -t app file'),
  wrong('oci build -t app -f nowhere .'),
  wrong('oci build -t app -f deploy .'),
  fails(': > empty; oci inspect oci-archive:empty'),
  fails('oci load -i deploy'),
  fails('oci inspect oci:file'),
  fails('mkdir -p none; oci inspect dir:none'),
  wrong('oci validate ./none'),
  wrong('oci run --bundle none'),
  wrong('oci export debian:bookworm -o none'),
  fails('oci save debian:bookworm -o none'),
  fails('oci sign --key empty registry.example.com/team/app:v1'),
  fails("echo '{broken' > broken.json; oci verify --policy broken.json registry.example.com/team/app:v1"),
  fails('oci pull --registries-conf broken.json registry.example.com/team/app:v1'),
  fails('mkdir -p bad; echo {} > bad/oci-layout; oci images --store bad'),
  wrong('oci run --rm --env-file nowhere debian:bookworm true'),
  wrong('oci run --rm --device /dev/nowhere debian:bookworm true'),
  wrong('oci run --rm --workdir here debian:bookworm true'),
  wrong('oci stop --time soon web'),
  wrong('oci config debian:bookworm app:1 --port http'),
  wrong('oci completion tcsh'),

  // Hosts that lack something, and readers that leave.
  ok('oci --help | head -1'),
  ok('oci ls -R debian:bookworm | head -1'),
  fails('oci images > /dev/full'),
  ok('oci images >&-'),
  ok('env -u HOME oci images'),
  ok('HOME=/nonexistent oci images'),
  fails('oci images --store /proc/store'),
  ok('LC_ALL=C TZ=nonsense oci inspect debian:bookworm'),
];
