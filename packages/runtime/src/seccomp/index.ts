export { type CompileSeccompOptions, compileSeccomp, knownArchitectures } from './compile.ts';
export { type DefaultProfileOptions, defaultSeccompProfile } from './default-profile.ts';
export { readSeccompProfile } from './profile-file.ts';
export type { ProfileArgument, ProfileSyscall, SeccompFilter, SeccompProfile } from './types.ts';
