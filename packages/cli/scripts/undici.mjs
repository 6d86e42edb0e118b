// Part of the build: of undici, the parts that the registry client uses. All of it takes twice as long to load as Node to
// start: it has a browser's fetch, caches, mocks, and HTTP/2, which the client does not speak.
import { readFileSync } from 'node:fs';

const needed = `
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import connect from 'undici/lib/api/api-connect.js';
import request from 'undici/lib/api/api-request.js';
Object.assign(Dispatcher.prototype, { connect, request });
export { Agent };
export { default as EnvHttpProxyAgent } from 'undici/lib/dispatcher/env-http-proxy-agent.js';
`;

const unneeded = `
module.exports = () => { throw new Error('the bundle has no HTTP/2'); };
`;

/** Of Node's HTTP client it wants a number and a class that it never meets here; of its assertions, those that fail. */
const replaced = {
  "require('node:http')": '{ maxHeaderSize: 16 * 1024, IncomingMessage: class {} }',
  "require('node:assert')": "(value, message) => { if (!value) require('node:assert')(value, message); }",
};

export const undici = {
  name: 'undici',
  setup({ onLoad, onResolve }) {
    const namespace = 'undici';
    onResolve({ filter: /^undici$/ }, ({ path, importer }) => ({ path, namespace, pluginData: importer }));
    onLoad({ filter: /.*/, namespace }, ({ pluginData }) => ({
      contents: needed,
      resolveDir: pluginData.replace(/\/[^/]*$/, ''),
    }));
    onLoad({ filter: /\/undici\/lib\/dispatcher\/client-h2\.js$/ }, () => ({ contents: unneeded }));
    onLoad({ filter: /\/undici\/lib\/(api|core|dispatcher)\/.*\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const contents = Object.entries(replaced).reduce(
        (text, [from, to]) => text.replaceAll(from, to),
        source,
      );
      return { contents, loader: 'js' };
    });
  },
};
