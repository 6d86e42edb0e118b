import type { Command } from '@oclif/core';
import Annotate from './annotate.ts';
import Append from './append.ts';
import Artifact from './artifact.ts';
import Attach from './attach.ts';
import Build from './build.ts';
import Cat from './cat.ts';
import Catalog from './catalog.ts';
import Config from './config.ts';
import Copy from './copy.ts';
import Delete from './delete.ts';
import Diff from './diff.ts';
import Doctor from './doctor.ts';
import Exec from './exec.ts';
import Export from './export.ts';
import Flatten from './flatten.ts';
import Fsck from './fsck.ts';
import Gc from './gc.ts';
import GenerateKeyPair from './generate-key-pair.ts';
import History from './history.ts';
import ImageIndex from './image-index.ts';
import Images from './images.ts';
import Inspect from './inspect.ts';
import Kill from './kill.ts';
import Load from './load.ts';
import Login from './login.ts';
import Logout from './logout.ts';
import Logs from './logs.ts';
import Ls from './ls.ts';
import Pause from './pause.ts';
import Ps from './ps.ts';
import Pull from './pull.ts';
import Push from './push.ts';
import Rebase from './rebase.ts';
import Referrers from './referrers.ts';
import Repack from './repack.ts';
import Rm from './rm.ts';
import Rmi from './rmi.ts';
import Run from './run.ts';
import Save from './save.ts';
import Serve from './serve.ts';
import Sign from './sign.ts';
import Spec from './spec.ts';
import Squash from './squash.ts';
import Stats from './stats.ts';
import Stop from './stop.ts';
import Supervise from './supervise.ts';
import Tag from './tag.ts';
import Tags from './tags.ts';
import Unpack from './unpack.ts';
import Unpause from './unpause.ts';
import Validate from './validate.ts';
import Verify from './verify.ts';
import Wait from './wait.ts';

/** Every command of `oci`, by name. */
export const COMMANDS: Record<string, Command.Class> = {
  annotate: Annotate,
  append: Append,
  cat: Cat,
  config: Config,
  diff: Diff,
  export: Export,
  flatten: Flatten,
  history: History,
  index: ImageIndex,
  ls: Ls,
  rebase: Rebase,
  repack: Repack,
  squash: Squash,
  artifact: Artifact,
  attach: Attach,
  build: Build,
  catalog: Catalog,
  delete: Delete,
  copy: Copy,
  doctor: Doctor,
  exec: Exec,
  fsck: Fsck,
  gc: Gc,
  'generate-key-pair': GenerateKeyPair,
  images: Images,
  inspect: Inspect,
  kill: Kill,
  load: Load,
  login: Login,
  logout: Logout,
  logs: Logs,
  pause: Pause,
  ps: Ps,
  pull: Pull,
  push: Push,
  referrers: Referrers,
  rm: Rm,
  rmi: Rmi,
  run: Run,
  save: Save,
  serve: Serve,
  sign: Sign,
  spec: Spec,
  stats: Stats,
  stop: Stop,
  supervise: Supervise,
  tag: Tag,
  tags: Tags,
  unpack: Unpack,
  unpause: Unpause,
  validate: Validate,
  verify: Verify,
  wait: Wait,
};
