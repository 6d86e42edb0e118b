/** What git needs of the environment: where it is, the caller's settings and keys, and the proxies. */
export function gitEnvironment(): Readonly<Record<string, string>> {
  const names = [
    'PATH',
    'HOME',
    'SSH_AUTH_SOCK',
    'GIT_SSH_COMMAND',
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'NO_PROXY',
    'http_proxy',
    'https_proxy',
    'no_proxy',
  ];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
