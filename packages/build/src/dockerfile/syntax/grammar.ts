import {
  type ArgumentParser,
  healthcheck,
  jsonOrSeparated,
  jsonOrText,
  namesAndValues,
  quotedWords,
  separated,
  wholeText,
} from './arguments.ts';

/** How the arguments of each instruction are written. `ONBUILD` holds an instruction and is not here. */
export const argumentParsers: Readonly<Record<string, ArgumentParser>> = {
  ADD: jsonOrSeparated,
  ARG: quotedWords,
  CMD: jsonOrText,
  COPY: jsonOrSeparated,
  ENTRYPOINT: jsonOrText,
  ENV: namesAndValues,
  EXPOSE: separated,
  FROM: separated,
  HEALTHCHECK: healthcheck,
  LABEL: namesAndValues,
  MAINTAINER: wholeText,
  RUN: jsonOrText,
  SHELL: jsonOrText,
  STOPSIGNAL: wholeText,
  USER: wholeText,
  VOLUME: jsonOrSeparated,
  WORKDIR: wholeText,
};

/** Every instruction there is, in capitals. */
export const instructionNames: readonly string[] = [...Object.keys(argumentParsers), 'ONBUILD'];

/** The instructions that heredocs may follow. */
export const takesHeredocs: ReadonlySet<string> = new Set(['ADD', 'COPY', 'RUN']);
