import { RuntimeError } from '../errors.ts';
import type { ProcessContext } from './context.ts';
import { initStep, type Step } from './step.ts';

function inactive(jsonPath: string, name: string): RuntimeError {
  return new RuntimeError(
    'ERR_OCI_SPEC_UNSUPPORTED',
    `config.json: ${jsonPath} needs ${name}, which is not active here`,
    {
      jsonPath,
      hint: 'Remove the setting, or turn the security module on.',
    },
  );
}

/** What security modules shall make of the container's program; a label that could not be applied is refused. */
export function planLabels(context: ProcessContext): Step[] {
  const { spec, host } = context.input;
  const { apparmorProfile, selinuxLabel } = spec.process ?? {};
  const steps: Step[] = [];
  if (apparmorProfile && apparmorProfile !== 'unconfined') {
    const jsonPath = '$.process.apparmorProfile';
    if (!host.labels.apparmor) throw inactive(jsonPath, 'AppArmor');
    const fields = { path: 'thread-self/attr/apparmor/exec', value: `exec ${apparmorProfile}` };
    const purpose = `set the AppArmor profile ${JSON.stringify(apparmorProfile)}`;
    steps.push(initStep('writeProc', { purpose, jsonPath, fields }));
  }
  if (selinuxLabel) {
    const jsonPath = '$.process.selinuxLabel';
    if (!host.labels.selinux) throw inactive(jsonPath, 'SELinux');
    const fields = { path: 'thread-self/attr/exec', value: selinuxLabel };
    const purpose = `set the SELinux label ${JSON.stringify(selinuxLabel)}`;
    steps.push(initStep('writeProc', { purpose, jsonPath, fields }));
  }
  return steps;
}
