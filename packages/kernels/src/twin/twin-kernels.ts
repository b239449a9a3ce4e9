/** Every kernel in plain TypeScript: for bytes anywhere, and the oracle for those in WebAssembly. */
import type { Kernels } from '../kernels.ts';
import { gearScanner } from './gear.ts';
import { histogram } from './histogram.ts';
import { countNonFinite, firstNonFinite } from './non-finite.ts';
import { endOfZeros } from './zeros.ts';

/** The plain kernels; they keep nothing. */
export const twinKernels: Kernels = {
  gearScanner,
  isZero: (bytes, start, end) => endOfZeros(bytes, start, end) === end,
  endOfZeros,
  firstNonFinite,
  countNonFinite,
  histogram,
};
