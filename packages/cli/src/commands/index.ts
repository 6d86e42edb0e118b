import type { Command } from '@oclif/core';
import Doctor from './doctor.ts';
import Images from './images.ts';
import Inspect from './inspect.ts';
import Login from './login.ts';
import Logout from './logout.ts';
import Ps from './ps.ts';
import Pull from './pull.ts';
import Push from './push.ts';
import Rm from './rm.ts';
import Run from './run.ts';
import Serve from './serve.ts';
import Spec from './spec.ts';
import Supervise from './supervise.ts';
import Tags from './tags.ts';
import Unpack from './unpack.ts';
import Validate from './validate.ts';

/** Every command of `oci`, by name. */
export const COMMANDS: Record<string, Command.Class> = {
  doctor: Doctor,
  images: Images,
  inspect: Inspect,
  login: Login,
  logout: Logout,
  ps: Ps,
  pull: Pull,
  push: Push,
  rm: Rm,
  run: Run,
  serve: Serve,
  spec: Spec,
  supervise: Supervise,
  tags: Tags,
  unpack: Unpack,
  validate: Validate,
};
