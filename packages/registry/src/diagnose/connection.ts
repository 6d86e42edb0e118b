import { isIP } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import { timeouts } from '../limits.ts';
import { portOf } from '../names.ts';
import { hostnameOf, isLocalhostName } from '../transport/address.ts';
import { codeOf, connectionError } from '../transport/connection-error.ts';
import { createLookup } from '../transport/lookup.ts';
import { printable } from '../transport/redact.ts';
import type { TlsMaterial } from '../transport/tls.ts';
import type { LocalFinding } from './finding.ts';

/** Which addresses a host has. */
export async function checkAddress(host: string): Promise<LocalFinding> {
  const name = 'address';
  const hostname = hostnameOf(host);
  if (isIP(hostname) !== 0) return { name, verdict: 'ok', found: hostname };
  if (isLocalhostName(hostname.toLowerCase()))
    return { name, verdict: 'ok', found: '127.0.0.1 (this machine)' };
  try {
    const { lookup } = await import('node:dns/promises');
    const addresses = await lookup(hostname, { all: true });
    return { name, verdict: 'ok', found: addresses.map(({ address }) => address).join(', ') };
  } catch (error) {
    const { message, hint } = connectionError(error, new URL(`https://${host}`));
    return { name, verdict: 'missing', found: message, ...(hint === undefined ? {} : { remedy: hint }) };
  }
}

const dayMs = 86_400_000;
/** A certificate that ends so soon is worth a word. */
const soonDays = 14;

/** Which certificate a host shows, until when, and whether it is trusted. */
export async function checkCertificate(
  url: URL,
  { material, now = Date.now() }: { readonly material: TlsMaterial; readonly now?: number },
): Promise<LocalFinding> {
  const name = 'certificate';
  if (url.protocol === 'http:') {
    const remedy = 'whoever is on the way can read and change everything; let the registry speak TLS';
    return { name, verdict: 'limited', found: 'none: plain HTTP', remedy };
  }
  const shown = await handshake(url, material).catch((error: unknown) => ({ error }));
  if ('error' in shown) {
    const { message, hint } = connectionError(shown.error, url);
    return { name, verdict: 'missing', found: message, ...(hint === undefined ? {} : { remedy: hint }) };
  }
  const { certificate, protocol, fault } = shown;
  const ends = Date.parse(certificate.valid_to);
  const days = Math.floor((ends - now) / dayMs);
  const issuer = [certificate.issuer?.O ?? certificate.issuer?.CN ?? 'unknown'].flat()[0] ?? 'unknown';
  const until = Number.isNaN(ends) ? certificate.valid_to : new Date(ends).toISOString().slice(0, 10);
  const found = printable(`${protocol}, by ${issuer}, valid until ${until}`);
  if (fault !== undefined) {
    const { message, hint } = connectionError(fault, url);
    const told = `${found}: ${message}`;
    if (!material.rejectUnauthorized)
      return { name, verdict: 'limited', found: told, remedy: 'it is not checked, as was asked for' };
    return { name, verdict: 'missing', found: told, ...(hint === undefined ? {} : { remedy: hint }) };
  }
  if (days >= soonDays) return { name, verdict: 'ok', found };
  return { name, verdict: 'limited', found, remedy: `renew it: it ends in ${days} days` };
}

interface Shown {
  readonly certificate: PeerCertificate;
  readonly protocol: string;
  /** Why it is not trusted. */
  readonly fault: Error | undefined;
}

async function handshake(url: URL, { ca, client }: TlsMaterial): Promise<Shown> {
  // Loaded for those who ask, and not with the rest of the package: it takes long.
  const { connect } = await import('node:tls');
  const hostname = hostnameOf(url.host);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port: portOf(url.host) ?? 443,
      // Looked at also when it is not trusted; nothing is sent.
      rejectUnauthorized: false,
      lookup: createLookup({ guarded: false }),
      ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
      ...(ca === undefined ? {} : { ca: [...ca] }),
      ...(client === undefined ? {} : { cert: [...client.cert], key: [...client.key] }),
    });
    socket.setTimeout(timeouts.connect, () => {
      socket.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
    });
    socket.once('secureConnect', () => {
      // Typed as an error, but it is the code alone.
      const why: unknown = socket.authorized ? undefined : socket.authorizationError;
      const code = typeof why === 'string' ? why : codeOf(why);
      const fault = why === undefined ? undefined : Object.assign(new Error(String(why)), { code });
      resolve({
        certificate: socket.getPeerCertificate(),
        protocol: socket.getProtocol() ?? 'TLS',
        fault,
      });
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
