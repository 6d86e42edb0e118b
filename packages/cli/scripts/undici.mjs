// Part of the build: of undici, the parts that the registry client uses. All of it takes twice as long to load as Node to
// start: it has a browser's fetch, caches, mocks, and HTTP/2, which the client does not speak.

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
  },
};
