import type { ImageSource } from '@ocijs/image';
import type { FactList } from '../model/report.ts';

type Fact = readonly [name: string, value: string];

/** What the configuration says, as lists of names and values; lists with nothing in them are left out. */
export function configFacts({ config, manifest }: Pick<ImageSource, 'config' | 'manifest'>): FactList[] {
  const { config: execution = {}, created, author } = config;
  const { Healthcheck: health } = execution;
  const lists: readonly (readonly [string, readonly (readonly [string, string | undefined])[]])[] = [
    [
      'Process',
      [
        ['Entrypoint', words(execution.Entrypoint)],
        ['Command', words(execution.Cmd)],
        ['Shell', words(execution.Shell)],
        ['User', execution.User],
        ['Directory', execution.WorkingDir],
        ['Stop signal', execution.StopSignal],
        ['Stop timeout', execution.StopTimeout === undefined ? undefined : `${execution.StopTimeout} s`],
        ['Ports', keys(execution.ExposedPorts)],
        ['Volumes', keys(execution.Volumes)],
        ['Health check', words(health?.Test)],
        ['On build', execution.OnBuild?.join('\n')],
      ],
    ],
    ['Environment', (execution.Env ?? []).map(variable)],
    ['Labels', Object.entries(execution.Labels ?? {})],
    ['Annotations', Object.entries(manifest.annotations ?? {})],
    [
      'Image',
      [
        ['Created', created],
        ['Author', author],
        ['Media type', manifest.mediaType],
      ],
    ],
  ];
  return lists.flatMap(([title, facts]) => {
    const known = facts.filter((fact): fact is Fact => fact[1] !== undefined && fact[1] !== '');
    return known.length === 0 ? [] : [{ title, facts: known }];
  });
}

function words(list: readonly string[] | undefined): string | undefined {
  return list === undefined || list.length === 0 ? undefined : JSON.stringify(list);
}

function keys(record: Readonly<Record<string, object>> | undefined): string | undefined {
  return Object.keys(record ?? {}).join('  ');
}

function variable(line: string): Fact {
  const equals = line.indexOf('=');
  return equals < 0 ? [line, '(unset)'] : [line.slice(0, equals), line.slice(equals + 1)];
}
