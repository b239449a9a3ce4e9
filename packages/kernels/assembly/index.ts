/**
 * The kernels: functions over places in one shared memory, compiled to WebAssembly (AssemblyScript is not TypeScript).
 *
 * Many instances work in one memory at once, so nothing here allocates, and nothing lies at a fixed place: every range
 * and every table is given by its offset. What a call keeps for the next one is a WebAssembly global, of which every
 * instance has its own. The caller has checked that ranges lie in the memory; offsets stay below 2^31.
 */
export {
  countContexts,
  decodeContexts,
  encodeContexts,
  findContexts,
  makeContextDecodeTable,
  makeContextEncodeTable,
  sumCounts,
  translate,
} from './contexts';
export {
  classesOf,
  differ16,
  differ32,
  differ64,
  differ8,
  readRest16,
  readRest32,
  readRest64,
  restBits,
  undiffer16,
  undiffer32,
  undiffer64,
  undiffer8,
  upperBits,
  writeRest16,
  writeRest32,
  writeRest64,
} from './differences';
export { gearHash, gearRoll, gearScan } from './gear';
export { histogram } from './histogram';
export { decodeLanes, encodeLanes, laneCounts, makeDecodeTable, makeEncodeTable } from './lanes';
export {
  countNonFiniteBF16,
  countNonFiniteF16,
  countNonFiniteF32,
  countNonFiniteF64,
  firstNonFiniteBF16,
  firstNonFiniteF16,
  firstNonFiniteF32,
  firstNonFiniteF64,
} from './non-finite';
export { differRows, sumRows } from './rows';
export {
  clearRange,
  copyRange,
  equalRanges,
  gatherField,
  joinFloat16,
  joinFloat32,
  mergeBits,
  mergeFifths,
  scatterField,
  splitFloat16,
  splitFloat32,
  spreadBits,
  spreadFifths,
} from './streams';
export { endOfZeros } from './zeros';
