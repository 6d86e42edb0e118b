import { constants } from 'node:os';
import {
  answerStat,
  answerStatx,
  closeQuietly,
  type FileIdentity,
  identityOf,
  kernelStat,
  kernelStatx,
} from '@ocijs/linux';
import { Caller } from './caller.ts';
import { type ChangingCall, readCall, type TellingCall } from './calls.ts';
import { mayHaveNote, type Owner, type OwnerNotes, pathOf } from './notes.ts';

const { EFAULT, EPERM } = constants.errno;
const asItIs = 0xffff_ffff;
const overflowId = 65_534;

/** What a container's calls about owners are answered from. */
export interface Answering {
  readonly notes: OwnerNotes;
  /** Who root of the container is in the host: only what belongs to that user can have another owner noted. */
  readonly uid: number;
  readonly gid: number;
}

/** The answer of the kernel: 0 or an errno negated; undefined when it is to make the call itself. */
export type CallAnswer = number | undefined;

/** Answers a notification of a listener. */
export function answerCall(
  answering: Answering,
  { listener, notification }: { readonly listener: number; readonly notification: Buffer },
): CallAnswer {
  const call = readCall(notification);
  if (call === undefined) return undefined;
  using caller = new Caller(listener, notification);
  return call.kind === 'tell' ? tell(answering, caller, call) : change(answering, caller, call);
}

function tell(answering: Answering, caller: Caller, call: TellingCall): CallAnswer {
  const { notes } = answering;
  const quick = notes.remembers ? undefined : caller.quickPath(call);
  if (quick !== undefined && !mayHaveNote(quick)) return undefined;
  const fd = caller.open(call);
  if (fd === undefined) return undefined;
  try {
    if (!notes.remembers && !mayHaveNote(pathOf(fd))) return undefined;
    const identity = identityOf(fd);
    const owner = identity?.uid === answering.uid ? notes.read({ fd, identity }) : undefined;
    if (identity === undefined || owner === undefined) return undefined;
    const status = statusWith(owner, { fd, call });
    if (status === undefined) return undefined;
    const isWritten = caller.write(call.result, status);
    return isWritten === undefined ? undefined : isWritten ? 0 : -EFAULT;
  } finally {
    closeQuietly(fd);
  }
}

/** What the kernel says of a file, but for its owner. */
function statusWith(
  { uid, gid }: Owner,
  { fd, call: { statx } }: { readonly fd: number; readonly call: TellingCall },
): Buffer | undefined {
  const layout = statx === undefined ? kernelStat : kernelStatx;
  const result = Buffer.alloc(layout.size);
  const answer = statx === undefined ? answerStat(fd, result) : answerStatx(fd, { ...statx, result });
  if (answer < 0) return undefined;
  result.writeUInt32LE(uid, layout.uid);
  result.writeUInt32LE(gid, layout.gid);
  return result;
}

function change(answering: Answering, caller: Caller, call: ChangingCall): CallAnswer {
  const fd = caller.open(call);
  if (fd === undefined) return undefined;
  try {
    const identity = identityOf(fd);
    // What belongs to others is the kernel's to refuse.
    if (identity?.uid !== answering.uid) return undefined;
    if (call.needsOpenFile && !caller.isOpenFile(call.descriptor)) return undefined;
    const file = { fd, identity };
    const before = answering.notes.read(file) ?? kernelOwner(identity, answering);
    const owner = {
      uid: call.uid === asItIs ? before.uid : call.uid,
      gid: call.gid === asItIs ? before.gid : call.gid,
    };
    const isChange = owner.uid !== before.uid || owner.gid !== before.gid;
    if (isChange && !caller.mayGiveAway()) return -EPERM;
    if (!caller.isWaiting()) return undefined;
    return answering.notes.write(file, owner);
  } finally {
    closeQuietly(fd);
  }
}

/** Who a file without a note belongs to: root, and a group that the container may not have. */
function kernelOwner({ gid }: FileIdentity, answering: Answering): Owner {
  return { uid: 0, gid: gid === answering.gid ? 0 : overflowId };
}
