import type { FoundPackage } from './package.ts';

/** The packages of Alpine's database (`/lib/apk/db/installed`). */
export function readApkDatabase(text: string, location: string): readonly FoundPackage[] {
  return text.split(/\n\n+/).flatMap((stanza) => {
    const fields = new Map(stanza.split('\n').map((line) => [line.slice(0, 2), line.slice(2).trim()]));
    const [name, version] = [fields.get('P:'), fields.get('V:')];
    if (!name || !version) return [];
    const source = fields.get('o:');
    return [
      {
        type: 'apk' as const,
        name,
        version,
        architecture: fields.get('A:'),
        license: fields.get('L:'),
        source: source === name ? undefined : source,
        location,
      },
    ];
  });
}
