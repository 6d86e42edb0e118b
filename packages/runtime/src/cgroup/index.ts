export { type CgroupPlan, type CreateCgroupOptions, createCgroup, planCgroup } from './create.ts';
export { destroyCgroup } from './destroy.ts';
export { cgroupPids, signalCgroup } from './members.ts';
export { attachmentOf, type CgroupRecord, entriesOf } from './record.ts';
