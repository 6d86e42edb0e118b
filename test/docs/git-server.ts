import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { output } from '../kit/command.ts';

/** A server that git can clone from. */
export interface GitServer extends Disposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
}

/** Serves `app.git` and `team/app.git`, with a Dockerfile in `server/`, the branch `main` and the tag `v1.2`. */
export async function gitServer(directory: string): Promise<GitServer> {
  const tree = `${directory}/git/tree`;
  await mkdir(`${tree}/server`, { recursive: true });
  await writeFile(`${tree}/server/Dockerfile`, 'FROM scratch\nCOPY main /main\n');
  await writeFile(`${tree}/server/main`, 'main\n');
  const env = { PATH: process.env['PATH'], HOME: directory, GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...args: readonly string[]): Promise<string> => output('git', args, { cwd: tree, env });
  const author = ['-c', 'user.name=Author', '-c', 'user.email=author@example.com'];
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.');
  await git(...author, 'commit', '--quiet', '--message=Start');
  await git('tag', 'v1.2');
  for (const name of ['app.git', 'team/app.git'])
    await git('clone', '--quiet', '--bare', tree, `${directory}/git/${name}`);
  const backend = { ...env, GIT_PROJECT_ROOT: `${directory}/git`, GIT_HTTP_EXPORT_ALL: '1' };
  const server = createServer((request, response) => {
    answer(request, { response, env: backend }).catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() };
}

/** Hands a request to git-http-backend(1), a CGI program. */
async function answer(
  request: IncomingMessage,
  { response, env }: { readonly response: ServerResponse; readonly env: NodeJS.ProcessEnv },
): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', 'http://host');
  const { 'content-type': type, 'content-encoding': encoding, 'git-protocol': protocol } = request.headers;
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      ...env,
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: type,
      HTTP_CONTENT_ENCODING: encoding,
      GIT_PROTOCOL: String(protocol ?? ''),
      REMOTE_ADDR: '127.0.0.1',
    },
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => undefined); // it does not read what it needs not
  const bytes = await buffer(child.stdout);
  const end = bytes.indexOf('\r\n\r\n');
  for (const line of bytes.toString('latin1', 0, end).split('\r\n')) {
    const [name = '', value = ''] = line.split(/: (.*)/);
    if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.end(bytes.subarray(end + 4));
}
