/** One line that gpg writes for programs (GnuPG's doc/DETAILS, "Format of the --status-fd output"). */
export interface StatusLine {
  readonly keyword: string;
  readonly fields: readonly string[];
}

const prefix = '[GNUPG:] ';

/** Reads what gpg wrote to its status file descriptor. Foreign text in it is escaped by gpg, so that a line is a line. */
export function parseStatus(text: string): readonly StatusLine[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(prefix))
    .map((line) => {
      const [keyword = '', ...fields] = line.slice(prefix.length).trim().split(' ');
      return { keyword, fields };
    });
}
