import { unpack } from '../../unpack/unpack.ts';
import { sampleImage } from './sample-image.ts';

/** A program that unpacks the image as another process, into the first argument, from the snapshots in the second. */
const [target = '', snapshots = ''] = process.argv.slice(2);
await unpack(await sampleImage(), target, { snapshots });
