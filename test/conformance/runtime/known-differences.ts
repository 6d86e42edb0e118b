/** What a runtime is known to do otherwise, and why. */
export type KnownDifferences = Readonly<Record<string, string>>;

const older = (version: string): string => `it is of runtime-spec 1.0: ${version} brought this`;

/** Ours: what is not as the specification says, on purpose. */
export const ourDifferences: KnownDifferences = {
  'delete-created':
    'a created container is killed and deleted, as by runc and crun: containerd deletes such containers without --force',
};

/** Debian's runc 1.1.5. */
export const runcDifferences: KnownDifferences = {
  'create-version': 'the version is not looked at',
  'start-no-process': 'a configuration without a process is refused by create',
  'delete-created': 'a created container is killed and deleted',
  'delete-foreign': 'the cgroup is deleted, whoever made it',
  'hooks-order': 'poststart hooks run at the end of create',
  'hooks-state': 'poststart hooks run at the end of create, and are told of a created container',
  'hooks-state-appropriate': 'the status is creating',
  'hooks-startContainer-fails': 'start has returned already, without an error',
  'hooks-poststart-fails': 'poststart hooks run at the end of create',
  'hooks-poststop-fails': 'the hooks after one that failed are not run',
  'rlimits-twice': 'the last one is taken',
  'capabilities-not-granted': 'it is an error',
  'capabilities-ambient-warning': 'nothing is said',
  scheduler: older('1.1'),
  'io-priority': older('1.1'),
  'annotations-empty-key': 'keys are not looked at',
  'mounts-option-defaults': 'the option is passed to the file system, which does not know it',
  'features-mount-options': 'defaults is passed to the file system, which does not know it',
  'mounts-idmap': older('1.1'),
  'mounts-idmap-half': older('1.1'),
  'namespace-new-time': older('1.1'),
  'time-offsets': older('1.1'),
  domainname: older('1.1'),
  'devices-other-file': 'the file is taken for the device',
  'rootfs-propagation-shared': 'the root is private',
  'rootfs-propagation-unbindable':
    'the root file system cannot be bound any more then, which runc itself does',
  personality: older('1.3 of runc'),
  'memory-policy': older('1.3'),
  'memory-policy-unknown': older('1.3'),
  'cgroups-kernel-tcp': 'the limit is not set any more',
  'cgroups-busy': 'containers may share a cgroup',
  'seccomp-names-empty': 'the rule is left out',
  'seccomp-errno-unsupported': 'the number is left out',
  'seccomp-listener-metadata': 'the metadata is left out',
  'runc-affinity-reset': 'since 1.4',
  'runc-exec-user-range': '4294967296 becomes 0, which is root; so in the newest release',
};

const known: Readonly<Record<string, KnownDifferences>> = {
  'oci-runtime': ourDifferences,
  runc: runcDifferences,
};

/** Why a runtime does not meet a requirement, if that is known. */
export function reasonOf(name: string, id: string): string | undefined {
  return known[name]?.[id];
}
