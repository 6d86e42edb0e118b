import { conflict, type PlanContext } from './context.ts';
import { type Step, stepsOf } from './step.ts';

/** Of a name, and its end (IFNAMSIZ). */
const nameLimit = 15;

function checkName(name: string, jsonPath: string): void {
  const isName = name !== '' && name !== '.' && name !== '..' && !/[/:\s]/.test(name);
  if (isName && Buffer.byteLength(name) <= nameLimit) return;
  throw conflict(jsonPath, `is no name of a network device: ${JSON.stringify(name)}`);
}

/**
 * Moves network devices into the container's network namespace (runtime-spec `config-linux.md`, "Network Devices"). A new
 * name may be a pattern such as `eth%d`, in which the kernel puts the first free number.
 */
export function planNetDevices(context: PlanContext): Step[] {
  const devices = Object.entries(context.input.spec.linux?.netDevices ?? {});
  if (devices.length > 0 && !context.created.has('network') && !context.joined.has('network')) {
    throw conflict('$.linux.netDevices', 'needs an own network namespace');
  }
  const targets = new Set<string>();
  return devices.map(([name, { name: given }]) => {
    const target = given || name;
    const jsonPath = `$.linux.netDevices[${JSON.stringify(name)}]`;
    checkName(name, jsonPath);
    checkName(target, `${jsonPath}.name`);
    if (targets.has(target) && !target.includes('%d'))
      throw conflict(`${jsonPath}.name`, 'is that of another device');
    targets.add(target);
    return stepsOf('attend')('netDevice', {
      purpose: `move the network device ${JSON.stringify(name)} into the container`,
      jsonPath,
      fields: { text: name, value: target },
    });
  });
}
