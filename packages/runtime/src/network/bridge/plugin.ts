import { RuntimeError } from '../../errors.ts';
import { findIn, pluginPath } from '../programs.ts';
import type { PluginConfig } from '../record.ts';
import { runProgram } from '../run-program.ts';

/** The version of CNI that plugins are spoken to in. */
export const cniVersion = '1.0.0';

/** What a plugin is called for (CNI specification, section 2). */
export interface PluginCall {
  readonly command: 'ADD' | 'DEL';
  readonly containerId: string;
  /** The path of the network namespace; absent when it is gone. */
  readonly namespace?: string | undefined;
  readonly device: string;
  readonly signal?: AbortSignal | undefined;
}

/** A result of CNI, as far as it is read here. */
export interface PluginResult {
  readonly ips?: readonly { readonly address: string; readonly gateway?: string }[];
}

/** Calls a plugin and returns its result; none for DEL. Throws ERR_OCI_NETWORK_FAILED with what the plugin says. */
export async function callPlugin(
  config: PluginConfig,
  call: PluginCall,
  previous: unknown,
): Promise<PluginResult | undefined> {
  const path = findIn(pluginPath(), config.type);
  if (path === undefined) {
    throw new RuntimeError('ERR_OCI_NETWORK_UNAVAILABLE', `the CNI plugin ${config.type} is missing`, {
      actual: config.type,
      hint: 'Install the package containernetworking-plugins.',
    });
  }
  const { code, stdout, stderr } = await runProgram(path, {
    env: {
      CNI_COMMAND: call.command,
      CNI_CONTAINERID: call.containerId,
      CNI_NETNS: call.namespace ?? '',
      CNI_IFNAME: call.device,
      CNI_PATH: pluginPath(),
    },
    input: JSON.stringify({ ...config, ...(previous === undefined ? {} : { prevResult: previous }) }),
    signal: call.signal,
  });
  const answer = parse(stdout);
  if (code === 0) return call.command === 'ADD' ? (answer as PluginResult | undefined) : undefined;
  const reason = [answer?.['msg'], answer?.['details']].filter(
    (text) => typeof text === 'string' && text !== '',
  );
  const text = reason.join(': ') || stderr || stdout || `exit status ${code}`;
  throw new RuntimeError('ERR_OCI_NETWORK_FAILED', `the CNI plugin ${config.type} failed: ${text}`, {
    path,
    hint: 'See `oci doctor`; a container without a network runs with --network none.',
  });
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // A plugin that died says something else; the caller shows it.
    return undefined;
  }
}
