/**
 * `npm run test:vm [-- FILE...]`: runs the runtime's tests, or some files, in a virtual machine with cgroup v2, systemd and
 * AppArmor. The machine's image is made once, from Debian's packages, and kept in `$XDG_CACHE_HOME/ocijs-vm`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packJob } from './job.ts';
import { runMachine } from './machine.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const here = fileURLToPath(new URL('./', import.meta.url));
const limit = 4 * 60 * 60 * 1000;

function requirePrograms(): void {
  const needed = { 'qemu-system-x86_64': 'qemu-system-x86', debootstrap: 'debootstrap', mke2fs: 'e2fsprogs' };
  const missing = Object.entries(needed).filter(([program]) => spawnSync('which', [program]).status !== 0);
  if (missing.length === 0) return;
  process.stderr.write(`missing packages: ${missing.map(([, name]) => name).join(' ')}`);
  process.exit(1);
}

/** Made anew when the script that makes it has changed. */
function imageDirectory(): string {
  const script = readFileSync(join(here, 'image.sh'));
  const key = createHash('sha256').update(script).digest('hex').slice(0, 16);
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const directory = join(cache, 'ocijs-vm', key);
  if (existsSync(join(directory, 'root.img'))) return directory;
  process.stdout.write(`making the machine's image in ${directory}\n`);
  mkdirSync(directory, { recursive: true });
  const { status } = spawnSync('sh', [join(here, 'image.sh'), directory], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
  return directory;
}

requirePrograms();
const given = process.argv.slice(2);
const files =
  given.length > 0
    ? given
    : globSync(['packages/runtime/src/**/*.test.ts'], {
        cwd: repository,
      }).sort();
const command = `
export PATH=/job/bin:$PATH
mkdir -p bin && mv node bin/node && useradd -M visitor 2>/dev/null
printf '%s\\n' "kernel $(uname -r)" "systemd $(systemctl --version | head -n 1)" "controllers $(cat /sys/fs/cgroup/cgroup.controllers)"
OCIJS_VM=1 exec node --conditions=source --test --test-concurrency=2 --test-timeout=1200000 --test-reporter=./scripts/test-reporter.mjs ${files.join(' ')}
`;
const directory = mkdtempSync(join(tmpdir(), 'ocijs-vm-'));
try {
  const packages = ['image', 'linux', 'bundle', 'runtime'];
  const job = packJob({ repository, packages, command, directory });
  const kernelLog = join(directory, 'console');
  const code = await runMachine({
    image: imageDirectory(),
    job,
    output: join(directory, 'output'),
    console: kernelLog,
    limit,
  });
  if (code === 125)
    process.stderr.write(`the machine gave no answer:\n${readFileSync(kernelLog, 'utf8').slice(-4000)}`);
  process.exitCode = code;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
