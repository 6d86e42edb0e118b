// Runs after `npm ci`: fits zlib-sync to the Node that will load it, then builds every package.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch } from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const nodeDirectory = `${root}node_modules/node-linux-${arch}`;

if (!zlibSyncLoads()) rebuildZlibSync();
run('npm', ['run', '--silent', 'build'], { fatal: true });

/** npm builds addons for the headers that its configuration names, which need not be those of this Node. */
function zlibSyncLoads() {
  try {
    createRequire(import.meta.url)('zlib-sync');
    return true;
  } catch {
    return false;
  }
}

function rebuildZlibSync() {
  const installed =
    existsSync(`${root}node_modules/zlib-sync`) && existsSync(`${nodeDirectory}/include/node`);
  const rebuilt =
    installed && run('npm', ['rebuild', 'zlib-sync', `--nodedir=${nodeDirectory}`], { quiet: true });
  if (!rebuilt)
    console.warn('zlib-sync could not be built for this Node; layers are inflated by node:zlib instead.');
}

function run(command, args, { fatal = false, quiet = false } = {}) {
  const environment = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    env: environment,
    stdio: quiet ? 'ignore' : 'inherit',
  });
  if (fatal && status !== 0) {
    if (error) console.error(`${command}: ${error.message}`);
    process.exit(status ?? 1);
  }
  return status === 0;
}
