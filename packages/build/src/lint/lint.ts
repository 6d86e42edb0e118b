import {
  consistentInstructionCasing,
  copyIgnoredFile,
  exposeInvalidFormat,
  exposeProtoCasing,
  invalidDefinitionDescription,
  jsonArgsRecommended,
  legacyKeyValueFormat,
  maintainerDeprecated,
  multipleInstructionsDisallowed,
  noEmptyContinuation,
  secretsUsedInArgOrEnv,
  workdirRelativePath,
} from './instruction-checks.ts';
import {
  duplicateStageName,
  fromAsCasing,
  fromPlatformFlagConstDisallowed,
  redundantTargetPlatform,
  reservedStageName,
  stageNameCasing,
} from './stage-checks.ts';
import type { Check, CheckContext, CheckName, Finding } from './types.ts';
import { invalidDefaultArgInFrom, undefinedArgInFrom, undefinedVar } from './variable-checks.ts';

const checks: Readonly<Record<CheckName, Check>> = {
  ConsistentInstructionCasing: consistentInstructionCasing,
  CopyIgnoredFile: copyIgnoredFile,
  DuplicateStageName: duplicateStageName,
  ExposeInvalidFormat: exposeInvalidFormat,
  ExposeProtoCasing: exposeProtoCasing,
  FromAsCasing: fromAsCasing,
  FromPlatformFlagConstDisallowed: fromPlatformFlagConstDisallowed,
  InvalidDefaultArgInFrom: invalidDefaultArgInFrom,
  InvalidDefinitionDescription: invalidDefinitionDescription,
  JSONArgsRecommended: jsonArgsRecommended,
  LegacyKeyValueFormat: legacyKeyValueFormat,
  MaintainerDeprecated: maintainerDeprecated,
  MultipleInstructionsDisallowed: multipleInstructionsDisallowed,
  NoEmptyContinuation: noEmptyContinuation,
  RedundantTargetPlatform: redundantTargetPlatform,
  ReservedStageName: reservedStageName,
  SecretsUsedInArgOrEnv: secretsUsedInArgOrEnv,
  StageNameCasing: stageNameCasing,
  UndefinedArgInFrom: undefinedArgInFrom,
  UndefinedVar: undefinedVar,
  WorkdirRelativePath: workdirRelativePath,
};

/** As in BuildKit, these have to be asked for: `# check=experimental=…`. */
const experimental: ReadonlySet<string> = new Set(['CopyIgnoredFile', 'InvalidDefinitionDescription']);

/** What the directive `check` asks for. */
interface CheckSettings {
  readonly skip: ReadonlySet<string>;
  readonly experimental: ReadonlySet<string>;
  readonly error: boolean;
}

/** What {@link lint} found. */
export interface LintReport {
  /** In the order of their lines. */
  readonly findings: readonly Finding[];
  /** The file says that a finding is to fail the build (`# check=error=true`). */
  readonly failsBuild: boolean;
}

/**
 * Looks for what is likely a mistake, with BuildKit's checks. `# check=skip=Name,Name` leaves some out, `skip=all` all;
 * `experimental=Name` or `all` adds those that are off by themselves.
 *
 * @see https://docs.docker.com/reference/build-checks/
 */
export function lint(context: CheckContext): LintReport {
  const settings = readSettings(context.dockerfile.syntax.directives.check ?? '');
  const findings: Finding[] = [];
  for (const [name, check] of Object.entries(checks) as [CheckName, Check][]) {
    if (settings.skip.has(name) || settings.skip.has('all')) continue;
    const isWanted = settings.experimental.has(name) || settings.experimental.has('all');
    if (experimental.has(name) && !isWanted) continue;
    check(context, ({ node }, message) => findings.push({ check: name, message, line: node.startLine }));
  }
  findings.sort((left, right) => left.line - right.line || left.check.localeCompare(right.check));
  return { findings, failsBuild: settings.error && findings.length > 0 };
}

function readSettings(text: string): CheckSettings {
  const fields = new Map(
    text.split(';').map((field) => {
      const at = field.indexOf('=');
      return [field.slice(0, Math.max(at, 0)).trim().toLowerCase(), field.slice(at + 1).trim()] as const;
    }),
  );
  const names = (key: string): ReadonlySet<string> =>
    new Set((fields.get(key) ?? '').split(',').map((name) => name.trim()));
  return {
    skip: names('skip'),
    experimental: names('experimental'),
    error: fields.get('error')?.toLowerCase() === 'true',
  };
}
