import assert from 'node:assert/strict';
import { MediaType } from '@ocijs/image';
import { inSection, type Requirement } from '../requirement.ts';
import { type Answer, digestOf, json, noise, type Subject, withDigest } from '../subject.ts';

const codes: ReadonlySet<string> = new Set([
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
]);

type Provocation = readonly [string, (subject: Subject) => Promise<Answer>];

/** Requests that fail, and the code that the table of codes describes them with. */
const provocations: readonly Provocation[] = [
  [
    'BLOB_UNKNOWN',
    async (subject) => {
      const name = subject.repository();
      await subject.pushImage(name, 'v1');
      return subject.ask('GET', `/v2/${name}/blobs/${digestOf(noise())}`);
    },
  ],
  [
    'BLOB_UPLOAD_UNKNOWN',
    async (subject) => {
      const location = await subject.startUpload(subject.repository());
      const bytes = noise();
      await subject.ask('PUT', withDigest(location, digestOf(bytes)), { body: bytes });
      return subject.ask('GET', location);
    },
  ],
  [
    'DIGEST_INVALID',
    async (subject) => {
      const location = await subject.startUpload(subject.repository());
      return subject.ask('PUT', withDigest(location, digestOf(noise())), { body: noise() });
    },
  ],
  [
    'MANIFEST_INVALID',
    async (subject) => {
      const bytes = Buffer.from('{');
      const mediaType = MediaType.manifest;
      return (await subject.putManifest(subject.repository(), 'v1', { bytes, mediaType })).answer;
    },
  ],
  [
    'MANIFEST_UNKNOWN',
    async (subject) => {
      const name = subject.repository();
      await subject.pushImage(name, 'v1');
      return subject.ask('GET', `/v2/${name}/manifests/v2`);
    },
  ],
  ['NAME_UNKNOWN', (subject) => subject.ask('GET', `/v2/${subject.repository()}/tags/list`)],
  ['NAME_INVALID', (subject) => subject.ask('POST', `/v2/${subject.repository()}/UPPER/blobs/uploads/`)],
];

const isJson = ({ headers }: Answer): boolean => /[/+]json\b/.test(headers.get('content-type') ?? '');

interface Problem {
  readonly code: unknown;
  readonly message?: unknown;
}

export const errors: readonly Requirement[] = inSection('API / Error Codes', [
  {
    id: 'error-format',
    level: 'MUST',
    since: '1.1.1',
    title:
      'a JSON body of a 4xx answer has a list of errors whose codes are in the table, and messages that are text',
    async check(subject) {
      for (const [name, provoke] of provocations) {
        const answer = await provoke(subject);
        assert.ok(answer.status >= 400 && answer.status < 500, `${name}: ${answer.status}`);
        if (!isJson(answer)) continue;
        const { errors: problems } = json<{ errors: readonly Problem[] }>(answer);
        assert.ok(Array.isArray(problems) && problems.length > 0, name);
        for (const { code, message = '' } of problems) {
          assert.ok(typeof code === 'string' && codes.has(code), `${name}: ${String(code)}`);
          assert.equal(typeof message, 'string', name);
        }
      }
    },
  },
  ...provocations.map(
    ([code, provoke]): Omit<Requirement, 'section'> => ({
      id: `error-${code.toLowerCase().replaceAll('_', '-')}`,
      level: 'MUST',
      since: '1.1.1',
      title: `what the table describes as ${code} has this code, where the body is JSON`,
      async check(subject) {
        const answer = await provoke(subject);
        if (!isJson(answer)) return;
        const { errors: problems } = json<{ errors: readonly Problem[] }>(answer);
        assert.ok(
          problems.some((problem) => problem.code === code),
          problems.map((problem) => String(problem.code)).join(),
        );
      },
    }),
  ),
]).concat(
  inSection('API / Warnings', [
    {
      id: 'warnings',
      level: 'MUST',
      since: '1.1.1',
      title:
        'Warning headers of all answers so far have code 299, agent - and no date, and at most 4096 bytes together',
      async check({ warnings }) {
        for (const ofAnswer of warnings) {
          for (const warning of ofAnswer) assert.match(warning, /^299 - "(?:[^"\\]|\\.)*"$/);
          assert.ok(Buffer.byteLength(ofAnswer.join()) <= 4096);
        }
      },
    },
  ]),
);
