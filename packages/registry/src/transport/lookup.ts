import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { addressKind, hostnameOf, isLocalhostName } from './address.ts';

/**
 * Name resolution for connections. `localhost` and its subdomains are loopback without asking anybody (RFC
 * 6761). With `guarded`, a name that resolves to this machine or to a metadata service is refused, so that a
 * registry cannot reach them by a name of its own (server-side request forgery by DNS).
 */
export function createLookup({
  guarded,
  resolve = lookup,
}: {
  readonly guarded: boolean;
  readonly resolve?: LookupFunction;
}): LookupFunction {
  return (hostname, options, callback) => {
    if (isLocalhostName(hostnameOf(hostname).toLowerCase())) {
      if (options.all) {
        callback(null, [
          { address: '127.0.0.1', family: 4 },
          { address: '::1', family: 6 },
        ]);
      } else callback(null, '127.0.0.1', 4);
      return;
    }
    resolve(hostname, options, (error, found, family) => {
      if (error !== null) {
        callback(error, found, family);
        return;
      }
      const addresses = Array.isArray(found) ? found.map(({ address }) => address) : [found];
      if (guarded && addresses.some(isRefused)) {
        callback(Object.assign(new Error(`${hostname} resolves to a refused address`), refused), '', 0);
        return;
      }
      callback(null, found, family);
    });
  };
}

const refused = { code: 'ERR_OCI_ADDRESS_REFUSED' } as const;

function isRefused(address: string): boolean {
  const kind = isIP(address) === 0 ? 'link-local' : addressKind(address);
  return kind === 'link-local' || kind === 'loopback';
}
