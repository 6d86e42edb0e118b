import { randomBytes } from 'node:crypto';
import { connect, isIP } from 'node:net';
import { timeouts } from '../limits.ts';
import { portOf } from '../names.ts';
import { hostnameOf } from './address.ts';
import { createLookup } from './lookup.ts';

/** The content types of TLS records that answer a first message: an alert, or the handshake (RFC 8446, 5.1). */
const answers: ReadonlySet<number | undefined> = new Set([21, 22]);

/**
 * Whether the server at `HOST[:PORT]` speaks TLS, whichever version and certificate: it is sent the first message of a
 * handshake, and what it answers begins as a TLS record does, or not. No request is sent, and nothing is loaded for
 * that: most registries on this machine speak plain HTTP. False too when nothing answers.
 */
export function speaksTls(host: string): Promise<boolean> {
  const hostname = hostnameOf(host);
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname,
      port: portOf(host) ?? 443,
      lookup: createLookup({ guarded: false }),
      noDelay: true,
    });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeouts.schemeProbe, () => finish(false));
    socket.once('connect', () => socket.write(clientHello(hostname)));
    socket.once('data', (data) => finish(answers.has(data[0])));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
  });
}

/** A ClientHello of TLS 1.2 (RFC 5246, 7.4.1.2) that every server has an answer to, be it an alert. */
function clientHello(hostname: string): Buffer {
  const suites = Buffer.from('c02bc02fc02cc030cca9cca8009c002f', 'hex');
  const groups = Buffer.from('001d00170018', 'hex');
  const signatures = Buffer.from('04030804040105030805', 'hex');
  const name = Buffer.concat([Buffer.from([0]), sized(Buffer.from(hostname, 'latin1'), 2)]);
  const extensions = [
    ...(isIP(hostname) === 0 ? [extension(0, sized(name, 2))] : []),
    // Its number is a line break, too: a server of HTTP that reads lines sees that this is none.
    extension(10, sized(groups, 2)),
    extension(13, sized(signatures, 2)),
  ];
  const body = Buffer.concat([
    Buffer.from('0303', 'hex'),
    randomBytes(32),
    sized(Buffer.alloc(0), 1),
    sized(suites, 2),
    sized(Buffer.from([0]), 1),
    sized(Buffer.concat(extensions), 2),
  ]);
  const handshake = Buffer.concat([Buffer.from([1]), sized(body, 3)]);
  return Buffer.concat([Buffer.from('160301', 'hex'), sized(handshake, 2)]);
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0, type]), sized(content, 2)]);
}

/** A content with its length before it, in so many bytes. */
function sized(content: Buffer, bytes: number): Buffer {
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(content.length, 0, bytes);
  return Buffer.concat([length, content]);
}
