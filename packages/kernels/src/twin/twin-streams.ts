/** The kernels for the streams of tensors in plain TypeScript: the oracle for those in WebAssembly. */
import type { StreamKernels } from '../stream-kernels.ts';
import { twinLanes } from './lanes.ts';
import { twinRows } from './rows.ts';
import { twinSplits } from './streams.ts';

/** The plain kernels over `bytes`; they keep nothing. */
export function twinStreams(bytes: Uint8Array): StreamKernels {
  return { bytes, ...twinSplits(bytes), ...twinRows(bytes), ...twinLanes(bytes) };
}
