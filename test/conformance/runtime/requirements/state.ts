import assert from 'node:assert/strict';
import { runtimeSpecErrors } from '../../../kit/runtime-schema.ts';
import { inSection, type Requirement } from '../requirement.ts';
import { failed, succeeded, until } from '../subject.ts';

export const state: readonly Requirement[] = inSection('runtime.md: State, Query State', [
  {
    id: 'state-no-id',
    title: 'without an id, state is an error',
    check: async (subject) => failed(await subject.call(['state'])),
  },
  {
    id: 'state-missing',
    title: 'the state of a container that does not exist is an error',
    check: async (subject) => failed(await subject.call(['state', 'conf-none']), /does not exist/),
  },
  {
    id: 'state-schema',
    title: 'the state is what the schema of the specification says',
    async check(subject) {
      const container = await subject.container();
      succeeded(await container.create());
      assert.deepEqual(runtimeSpecErrors(await container.state(), 'state-schema.json'), []);
    },
  },
  {
    id: 'state-created',
    title: 'after create: created, with the process id, the bundle and the annotations',
    async check(subject) {
      const container = await subject.container({
        change: (spec) => {
          spec.annotations = { 'org.example.key': 'value' };
        },
      });
      succeeded(await container.create());
      const { id, status, bundle, annotations, pid } = await container.state();
      const { id: expected, directory } = container;
      assert.deepEqual(
        { id, status, bundle, annotations },
        {
          ...{ id: expected, status: 'created', bundle: directory },
          annotations: { 'org.example.key': 'value' },
        },
      );
      process.kill(Number(pid), 0);
    },
  },
  {
    id: 'state-running',
    title: 'after start: running, with the same process id',
    async check(subject) {
      const container = await subject.container();
      succeeded(await container.create());
      const { pid } = await container.state();
      succeeded(await container.call('start'));
      const after = await container.state();
      assert.deepEqual([after['status'], after['pid']], ['running', pid]);
    },
  },
  {
    id: 'state-stopped',
    title: 'when the program has exited: stopped, and no process id',
    async check(subject) {
      const container = await subject.container({ script: 'exit 3' });
      await container.begin();
      await until(async () => (await container.status()) === 'stopped', 'the container to stop');
      assert.equal((await container.state())['pid'] ?? 0, 0);
    },
  },
]);
