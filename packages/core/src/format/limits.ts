/**
 * Every number of docs/format.md that code and document share; a test holds one against the other.
 */

export const formatVersion = 1;

/**
 * Parameters of entry 1 as they are in new repositories (docs/format.md, Operations). Bytes. In older ones
 * `smallTensorBytes` is larger; the others never had another value.
 */
export const parameters = {
  averageBytes: 1_048_576,
  frameBytes: 1_048_576,
  maximumBytes: 8_388_608,
  minimumBytes: 524_288,
  packBytes: 33_554_432,
  pieceBytes: 4_194_304,
  smallTensorBytes: 4096,
  wholeFileBytes: 524_288,
  zeroRunBytes: 65_536,
} as const;

/** A file with a layout is cut along it from this size on; a smaller one is a blob. */
export const layoutFileBytes: number = 65_536;

/** A blob of this size or more has a frame of its own. */
export const ownFrameBytes: number = 524_288;
/** Of a tensor from this size on: it has weights, and rows, of its own. */
export const ownTensorFrameBytes: number = 65_536;

export const limits = {
  blobBytes: 16_777_216,
  frameBytes: 16_777_216,
  logEntryBytes: 16_777_216,
  documentBytes: 268_435_456,
  packBytes: 268_435_456,
  packFrames: 1_048_576,
  packBlobs: 4_194_304,
  depth: 8,
  treeEntries: 4096,
  treeLeafBytes: 1_048_576,
  chunksInLeaf: 1024,
  treeLevels: 8,
  directoryDepth: 4096,
  layoutTensors: 100_000,
  nameBytes: 255,
  targetBytes: 4095,
  argon2MemoryKiB: 1_048_576,
  argon2Passes: 16,
  argon2Parallelism: 16,
} as const;

/** Every so many entries the log names a folded state. */
export const stateInterval = 256;
