import type { DockerfileCase } from './case.ts';
import { addCases } from './cases/add.ts';
import { configCases } from './cases/config.ts';
import { copyCases } from './cases/copy.ts';
import { runCases } from './cases/run.ts';
import { stageCases } from './cases/stages.ts';
import { syntaxCases } from './cases/syntax.ts';
import { variableCases } from './cases/variables.ts';

/** Every Dockerfile, in the order of the documentation. */
export const dockerfileCases: readonly DockerfileCase[] = [
  ...syntaxCases,
  ...stageCases,
  ...variableCases,
  ...copyCases,
  ...addCases,
  ...runCases,
  ...configCases,
];
