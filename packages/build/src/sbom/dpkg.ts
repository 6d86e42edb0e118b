import type { FoundPackage } from './package.ts';

/** The installed packages of a dpkg status file (`/var/lib/dpkg/status`, or one of `status.d`). */
export function readDpkgStatus(text: string, location: string): readonly FoundPackage[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = readFields(stanza);
    const [name, version, status] = [fields.get('Package'), fields.get('Version'), fields.get('Status')];
    // The files of images without dpkg have no status: what is there is installed.
    if (!name || !version || (status !== undefined && !status.endsWith(' installed'))) return [];
    return [
      {
        type: 'deb' as const,
        name,
        version,
        architecture: fields.get('Architecture'),
        source: fields.get('Source'),
        location,
      },
    ];
  });
}

/** The first line of each field; what goes on below it is not needed. */
function readFields(stanza: string): ReadonlyMap<string, string> {
  return new Map(
    stanza.split('\n').flatMap((line) => {
      const [, name, value] = /^([A-Za-z][A-Za-z0-9-]*):\s*(.*?)\s*$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    }),
  );
}
