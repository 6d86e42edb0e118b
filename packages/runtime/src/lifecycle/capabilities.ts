import type { RuntimeSpec } from '@ocijs/bundle/spec';
import type { OnEvent } from '@ocijs/image';
import { capabilityWarnings, grantableCapabilities } from '../plan/capabilities.ts';
import { boundingSet } from '../process/bounding-set.ts';

/** Says which capabilities of its process a container does not get (runtime-spec `config.md`, "Linux Process"). */
export function reportCapabilities(spec: RuntimeSpec, onEvent: OnEvent | undefined): void {
  if (onEvent === undefined) return;
  const grantable = grantableCapabilities(spec, boundingSet());
  for (const message of capabilityWarnings(spec.process?.capabilities, grantable)) {
    onEvent({ type: 'warning', code: 'ERR_OCI_SPEC_UNSUPPORTED', message });
  }
}
