import { mkdir, symlink } from 'node:fs/promises';
import { byAnn, type SignedByScene } from './signed-by.testkit.ts';
import { type PolicyCase, testPolicyCases } from './signed-by-cases.testkit.ts';

const matchRepository = { type: 'matchRepository' };
const repository = ({ registry }: SignedByScene) => `${registry.host}/team/app`;
const byDigest = (at: SignedByScene) => `${repository(at)}@${at.image.digest}`;

const identities: readonly PolicyCase[] = [
  {
    what: 'of another tag',
    refused: /the signature is of ".*:v2"/,
    arrange: async (at) => at.put(await at.signed({ identity: `${repository(at)}:v2` })),
  },
  {
    what: 'of another tag, with matchRepository',
    arrange: async (at) => {
      await at.demand({ ...byAnn(at), signedIdentity: matchRepository });
      await at.put(await at.signed({ identity: `${repository(at)}:v2` }));
    },
  },
  {
    what: 'of a tag, asked for by digest',
    name: byDigest,
    arrange: async (at) => at.put(await at.signed({ identity: `${repository(at)}:v2` })),
  },
  {
    what: 'of a tag, asked for by digest, with matchExact',
    name: byDigest,
    refused: /the signature is of/,
    arrange: async (at) => {
      await at.demand({ ...byAnn(at), signedIdentity: { type: 'matchExact' } });
      await at.put(await at.signed({ identity: `${repository(at)}:v2` }));
    },
  },
  {
    what: 'of what exactReference names',
    arrange: async (at) => {
      const signedIdentity = { type: 'exactReference', dockerReference: 'vendor.example.com/app:v9' };
      await at.demand({ ...byAnn(at), signedIdentity });
      await at.put(await at.signed({ identity: 'vendor.example.com/app:v9' }));
    },
  },
  {
    what: 'of the repository that exactRepository names',
    arrange: async (at) => {
      const signedIdentity = { type: 'exactRepository', dockerRepository: 'vendor.example.com/app' };
      await at.demand({ ...byAnn(at), signedIdentity });
      await at.put(await at.signed({ identity: 'vendor.example.com/app:v9' }));
    },
  },
  {
    what: 'of the name that remapIdentity makes',
    arrange: async (at) => {
      const signedIdentity = {
        type: 'remapIdentity',
        prefix: `${at.registry.host}/team`,
        signedPrefix: 'vendor.example.com',
      };
      await at.demand({ ...byAnn(at), signedIdentity });
      await at.put(await at.signed({ identity: 'vendor.example.com/app:v1' }));
    },
  },
];

const requirements: readonly PolicyCase[] = [
  {
    what: 'several files of keys, one of which is a link and one no key',
    arrange: async (at) => {
      await at.write('garbage.gpg', 'no key');
      await symlink(at.file('ann.gpg'), at.file('link.gpg'));
      const keyPaths = [at.file('bob.gpg'), at.file('garbage.gpg'), at.file('link.gpg')];
      await at.demand({ type: 'signedBy', keyType: 'GPGKeys', keyPaths });
      await at.put(await at.signed());
    },
  },
  {
    what: 'an armored key in the policy itself',
    arrange: async (at) => {
      const keyData = (await at.signer.publicKeys([at.ann], ['--armor'])).toString('base64');
      await at.demand({ type: 'signedBy', keyType: 'GPGKeys', keyData });
      await at.put(await at.signed());
    },
  },
  {
    what: 'a file of keys that is missing',
    code: 'ERR_OCI_SIGNATURE_KEY_INVALID',
    refused: /missing\.gpg cannot be read: no such file or directory/,
    arrange: async (at) => {
      await at.demand({
        type: 'signedBy',
        keyType: 'GPGKeys',
        keyPaths: [at.file('ann.gpg'), at.file('missing.gpg')],
      });
      await at.put(await at.signed());
    },
  },
  {
    what: 'a file of keys that cannot be read',
    code: 'ERR_OCI_SIGNATURE_KEY_INVALID',
    refused: /cannot be read: illegal operation on a directory/,
    arrange: async (at) => {
      await mkdir(at.file('directory.gpg'), { recursive: true });
      await at.demand({ ...byAnn(at), keyPath: at.file('directory.gpg') });
      await at.put(await at.signed());
    },
  },
  {
    what: 'a file without keys',
    code: 'ERR_OCI_SIGNATURE_KEY_INVALID',
    refused: /empty\.gpg holds no public GPG key/,
    arrange: async (at) => {
      await at.write('empty.gpg', '');
      await at.demand({ ...byAnn(at), keyPath: at.file('empty.gpg') });
      await at.put(await at.signed());
    },
  },
  {
    what: 'two signatures, of which one is there',
    refused: /\(signedBy, requirement 2 of 2\): .*none of the policy's/,
    arrange: async (at) => {
      await at.demand(byAnn(at), { ...byAnn(at), keyPath: at.file('bob.gpg') });
      await at.put(await at.signed());
    },
  },
  {
    what: 'two signatures that are there',
    arrange: async (at) => {
      await at.demand(byAnn(at), { ...byAnn(at), keyPath: at.file('bob.gpg') });
      await at.put(await at.signed());
      await at.put(await at.signed({}, ['-u', at.bob, '--sign']), { position: 2 });
    },
  },
  {
    what: 'anything, and a signature',
    refused: /has no GPG signature/,
    arrange: (at) => at.demand({ type: 'insecureAcceptAnything' }, byAnn(at)),
  },
  {
    what: 'a kind of key that nobody knows how to use',
    code: 'ERR_OCI_SIGNATURE_POLICY_UNSUPPORTED',
    refused: /X509Certificates/,
    arrange: async (at) => {
      await at.demand({ ...byAnn(at), keyType: 'X509Certificates' });
      await at.put(await at.signed());
    },
  },
  {
    what: 'a signature of the image that is taken of an index',
    name: ({ indexName }) => indexName,
    arrange: async (at) => at.put(await at.signed({ identity: at.indexName })),
  },
  {
    what: 'a signature of an index',
    name: ({ indexName }) => indexName,
    notSkopeo: 'skopeo asks for a signature of the image that it takes of an index',
    arrange: async (at) => {
      const { digest } = at.index;
      await at.put(await at.signed({ digest, identity: at.indexName }), { digest });
    },
  },
];

const places: readonly PolicyCase[] = [
  {
    what: 'the old name of the field, and comments',
    arrange: async (at) => {
      const yaml = `# Signatures\ndocker:\n     ${at.registry.host}: # all of it\n         sigstore: 'file://${at.file('lookaside')}'\n`;
      await at.configure(yaml.replace(at.registry.host, `"${at.registry.host}"`));
      await at.put(await at.signed());
    },
  },
  {
    what: 'default-docker',
    arrange: async (at) => {
      await at.configure(
        `default-docker:\n  lookaside: file://${at.file('lookaside')}\n  lookaside-staging: file:///staging\n`,
      );
      await at.put(await at.signed());
    },
  },
  {
    what: 'the longest scope that fits',
    refused: /file:.*\/elsewhere\/team\/app/,
    arrange: async (at) => {
      const scope = (name: string, place: string) =>
        `  "${name}":\n    lookaside: file://${at.file(place)}\n`;
      await at.configure(
        `docker:\n${scope(at.registry.host, 'lookaside')}${scope(`${at.registry.host}/team`, 'elsewhere')}`,
      );
      await at.put(await at.signed());
    },
  },
  {
    what: 'a wider scope, where the longest names no place',
    arrange: async (at) => {
      await at.configure(
        `docker:\n  "${at.registry.host}/team":\n    use-sigstore-attachments: true\n  "${at.registry.host}":\n    lookaside: file://${at.file('lookaside')}\n`,
      );
      await at.put(await at.signed());
    },
  },
  {
    what: 'two files that speak of one scope',
    code: 'ERR_OCI_REGISTRY_CONFIG_INVALID',
    refused: /registries\.d\/two\.yaml cannot be read: docker\..* is in .*test\.yaml already/,
    arrange: async (at) => {
      await at.write(
        'registries.d/two.yaml',
        `docker:\n  "${at.registry.host}":\n    lookaside: file:///x\n`,
      );
      await at.put(await at.signed());
    },
  },
  {
    what: 'a file that is no YAML',
    code: 'ERR_OCI_REGISTRY_CONFIG_INVALID',
    refused: /broken\.yaml cannot be read/,
    arrange: async (at) => {
      await at.write('registries.d/broken.yaml', 'docker: [\n');
      await at.put(await at.signed());
    },
  },
  {
    what: 'files that have another ending',
    arrange: async (at) => {
      await at.write('registries.d/notes.yml', 'docker: [\n');
      await at.put(await at.signed());
    },
  },
  {
    what: 'a place that is no URL',
    code: 'ERR_OCI_REGISTRY_CONFIG_INVALID',
    refused: /the lookaside is not a URL/,
    arrange: async (at) => {
      await at.configure(`default-docker:\n  lookaside: ${at.file('lookaside')}\n`);
      await at.put(await at.signed());
    },
  },
  {
    what: 'a place of another kind',
    code: 'ERR_OCI_REGISTRY_CONFIG_INVALID',
    refused: /the lookaside is not https, http or file/,
    arrange: async (at) => {
      await at.configure('default-docker:\n  lookaside: ftp://example.com/\n');
      await at.put(await at.signed());
    },
  },
];

testPolicyCases([
  ['with a signature', identities],
  ['when the policy asks for', requirements],
  ['when registries.d has', places],
]);
