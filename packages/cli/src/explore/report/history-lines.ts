import { alignedHistory, draftOf, type ImageSource } from '@ocijs/image';
import type { HistoryLine } from '../model/report.ts';

/** How the image was made, the first step first. */
export function historyLines(image: ImageSource): readonly HistoryLine[] {
  let layers = 0;
  return alignedHistory(draftOf(image)).map((entry) => {
    const { created, created_by, author, comment, empty_layer } = entry;
    return {
      command: instructionOf(created_by ?? comment ?? ''),
      ...(created === undefined ? {} : { created }),
      ...(author === undefined ? {} : { author }),
      ...(comment === undefined || created_by === undefined ? {} : { comment }),
      ...(empty_layer === true ? {} : { layer: layers++ }),
    };
  });
}

/** The instruction of the Dockerfile that the builders write down in their own ways. */
export function instructionOf(createdBy: string): string {
  const text = createdBy.replace(/\s*# buildkit$/, '').trim();
  const nop = /^\/bin\/sh -c #\(nop\)\s+(.*)$/s.exec(text);
  if (nop !== null) return nop[1] ?? '';
  const shell = /^(?:RUN )?(?:\|\d+ (.*?) ?)?\/bin\/(?:ba)?sh -c (.*)$/s.exec(text);
  return shell === null ? text : `RUN ${shell[2]}`;
}
