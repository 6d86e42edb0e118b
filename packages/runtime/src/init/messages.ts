/** What the monitor says; the native side has the same in `native/report.h`. */
export const messageTypes = {
  failed: 1,
  ask: 2,
  pid: 3,
  console: 4,
  created: 5,
  pipes: 6,
  hooks: 7,
  exited: 8,
  cgroup: 9,
} as const;

const messageSize = 256;
const headerSize = 16;

/** The number of no step. */
export const noStep = 0xffffffff;

/** One message of the monitor. */
export interface Message {
  readonly type: number;
  /** The number of the step concerned, or `noStep`. */
  readonly step: number;
  readonly errno: number;
  readonly value: number;
  readonly detail: string;
}

/** Cuts a stream into messages; each call gets bytes and gives the messages that they complete. */
export function createMessageReader(): (chunk: Buffer) => Message[] {
  let pending: Buffer = Buffer.alloc(0);
  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    const messages: Message[] = [];
    while (pending.length >= messageSize) {
      const text = pending.subarray(headerSize, messageSize);
      const end = text.indexOf(0);
      messages.push({
        type: pending.readUInt32LE(0),
        step: pending.readUInt32LE(4),
        errno: pending.readInt32LE(8),
        value: pending.readUInt32LE(12),
        detail: text.toString('utf8', 0, end < 0 ? text.length : end),
      });
      pending = pending.subarray(messageSize);
    }
    return messages;
  };
}
