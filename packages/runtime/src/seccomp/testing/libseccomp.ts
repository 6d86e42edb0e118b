import { spawnSync } from 'node:child_process';
import type { SeccompProfile } from '../types.ts';

const script = `
import base64, json, sys, tempfile
import seccomp

def value(action, errno):
    if action == 'ERRNO': return seccomp.ERRNO(errno)
    if action == 'TRACE': return seccomp.TRACE(errno)
    if action == 'KILL_THREAD': return seccomp.KILL
    return getattr(seccomp, action)

def compile(profile):
    default = value(profile['defaultAction'], profile.get('defaultErrnoRet', 1))
    flt = seccomp.SyscallFilter(default)
    if profile['native'] != 'x86_64':
        flt.remove_arch(seccomp.Arch('x86_64'))
        flt.add_arch(seccomp.Arch(profile['native']))
    for arch in profile.get('architectures', []):
        if not flt.exist_arch(seccomp.Arch(arch)): flt.add_arch(seccomp.Arch(arch))
    for rule in profile.get('syscalls', []):
        action = value(rule['action'], rule.get('errnoRet', 1))
        if action == default: continue
        args = [seccomp.Arg(a['index'], getattr(seccomp, a['op']), int(a['value']), int(a.get('valueTwo', 0)))
                for a in rule.get('args', [])]
        shared = len(set(a['index'] for a in rule.get('args', []))) < len(args)
        for name in rule['names']:
            for group in ([[a] for a in args] if shared else [args]):
                flt.add_rule(action, name, *group)
    with tempfile.TemporaryFile() as file:
        flt.export_bpf(file)
        file.seek(0)
        return base64.b64encode(file.read()).decode()

def attempt(profile):
    try: return {'program': compile(profile)}
    except Exception as error: return {'error': str(error)}

request = json.load(sys.stdin)
numbers = {}
for arch in request['architectures']:
    numbers[arch] = {}
    for name in request['names']:
        try: numbers[arch][name] = seccomp.resolve_syscall(seccomp.Arch(arch), name)
        except ValueError: pass
json.dump({'numbers': numbers, 'filters': [attempt(p) for p in request['profiles']]}, sys.stdout)
`;

/** What is asked of libseccomp in one go. */
export interface LibseccompRequest {
  readonly profiles: readonly SeccompProfile[];
  /** The architecture that is always allowed. */
  readonly native?: string;
  readonly names?: readonly string[];
  /** Such as `SCMP_ARCH_X86_64`. */
  readonly architectures?: readonly string[];
}

/** Its answers. */
export interface LibseccompAnswer {
  /** By architecture and name; negative where the call does not exist. */
  readonly numbers: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** An error where libseccomp refuses rules that contradict each other. */
  readonly filters: readonly { readonly program?: Uint8Array; readonly error?: string }[];
}

function shortened(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  const isName = ['action', 'defaultAction', 'op'].includes(key);
  return isName ? String(value).replace(/^SCMP_(?:ACT|CMP)_/, '') : value;
}

function architectureName(name: string): string {
  return name.replace('SCMP_ARCH_', '').toLowerCase();
}

// The interpreter of the distribution: its module is not to be found by another one.
const python = '/usr/bin/python3';

/** Why there is nothing to compare with, or undefined. */
export function libseccompMissing(): string | undefined {
  const { status } = spawnSync(python, ['-c', 'import seccomp'], { stdio: 'ignore' });
  return status === 0 ? undefined : 'the Debian package python3-seccomp is not installed';
}

/** Asks libseccomp. */
export function askLibseccomp(asked: LibseccompRequest): LibseccompAnswer {
  const { profiles, names = [], architectures = [], native = 'SCMP_ARCH_X86_64' } = asked;
  const request = {
    names,
    architectures: architectures.map(architectureName),
    profiles: profiles.map((profile) => ({
      ...profile,
      native: architectureName(native),
      architectures: (profile.architectures ?? []).map(architectureName),
    })),
  };
  const { status, stdout, stderr } = spawnSync(python, ['-c', script], {
    input: JSON.stringify(request, shortened),
    maxBuffer: 256 * 1024 * 1024,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  const answer = JSON.parse(stdout) as {
    numbers: LibseccompAnswer['numbers'];
    filters: { program?: string; error?: string }[];
  };
  const byName = architectures.map((name) => [name, answer.numbers[architectureName(name)] ?? {}] as const);
  return {
    numbers: Object.fromEntries(byName),
    filters: answer.filters.map(({ program, error }) => ({
      ...(program !== undefined && { program: new Uint8Array(Buffer.from(program, 'base64')) }),
      ...(error !== undefined && { error }),
    })),
  };
}
