import { RegistryError } from '../errors.ts';
import { redactUrl } from './redact.ts';

const certificateCodes: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
]);

/** How a failed connection reads: what happened, what to do, and whether a second try makes sense. */
interface Diagnosis {
  readonly what: string;
  readonly hint?: string;
  readonly retryable: boolean;
}

/** Turns what undici or a socket threw into an error that names the host and says what to do. */
export function connectionError(error: unknown, url: URL): RegistryError {
  const code = codeOf(error);
  const { what, hint, retryable } = diagnose(code, url);
  return new RegistryError('ERR_OCI_REGISTRY_UNAVAILABLE', `cannot reach ${url.host}: ${what}`, {
    cause: error,
    url: redactUrl(url),
    ...(code === undefined ? {} : { errno: code }),
    ...(hint === undefined ? {} : { hint }),
    retryable,
  });
}

function diagnose(code: string | undefined, url: URL): Diagnosis {
  switch (code) {
    case 'ECONNREFUSED':
      return {
        what: 'connection refused',
        hint: `is a registry listening at ${url.host}?`,
        retryable: true,
      };
    case 'ENOTFOUND':
      return {
        what: 'no such host',
        hint: 'check the spelling of the registry name, and the network',
        retryable: false,
      };
    case 'EAI_AGAIN':
      return { what: 'the name cannot be resolved now', hint: 'check DNS and the network', retryable: true };
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return {
        what: 'no route to the host',
        hint: 'check the network and the proxy settings',
        retryable: true,
      };
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return {
        what: 'the connection timed out',
        hint: 'check the network and the proxy settings',
        retryable: true,
      };
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return { what: 'the registry stopped answering', retryable: true };
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return {
        what: 'the registry does not speak TLS',
        hint: 'if it is meant to be plain HTTP, use --plain-http',
        retryable: false,
      };
    case 'CERT_HAS_EXPIRED':
      return {
        what: 'its certificate has expired',
        hint: 'renew the certificate, or use --tls-verify=false if you accept the risk',
        retryable: false,
      };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        what: 'its certificate is for another name',
        hint: 'use the name in the certificate, or --tls-verify=false if you accept the risk',
        retryable: false,
      };
    case 'ERR_OCI_ADDRESS_REFUSED':
      return { what: 'its name resolves to an address that a registry may not point to', retryable: false };
    default:
      return diagnoseRest(code);
  }
}

function diagnoseRest(code: string | undefined): Diagnosis {
  if (code !== undefined && certificateCodes.has(code)) {
    return {
      what: 'its certificate is not signed by a known authority',
      hint: 'give the authority with --ca FILE, or use --tls-verify=false if you accept the risk',
      retryable: false,
    };
  }
  if (code?.startsWith('ERR_SSL') || code?.startsWith('ERR_TLS')) {
    return {
      what: `TLS failed (${code})`,
      hint: 'a client certificate may be needed: --cert-dir DIR',
      retryable: false,
    };
  }
  if (code?.startsWith('HPE_')) {
    return {
      what: 'the answer is not HTTP',
      hint: 'if the registry speaks TLS, leave --plain-http away',
      retryable: false,
    };
  }
  return {
    what: code === undefined ? 'the connection broke' : `the connection broke (${code})`,
    retryable: true,
  };
}

/** The most telling code in an error, its causes and, of a connection to several addresses, its parts. */
export function codeOf(error: unknown): string | undefined {
  for (let current: unknown = error, depth = 0; depth < 5; depth++) {
    if (typeof current !== 'object' || current === null) return undefined;
    const { code, cause, errors } = current as { code?: unknown; cause?: unknown; errors?: unknown };
    if (Array.isArray(errors) && errors.length > 0) current = errors[0];
    else if (typeof code === 'string' && (code !== 'UND_ERR_SOCKET' || cause === undefined)) return code;
    else current = cause;
  }
  return undefined;
}
