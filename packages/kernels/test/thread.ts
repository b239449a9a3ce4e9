/** A thread that runs kernels over the memory of its parent, and posts what they found. */
import { parentPort, workerData } from 'node:worker_threads';
import { type KernelMemory, type KernelModule, memoryKernels } from '../src/index.ts';

export interface ThreadTask {
  readonly memory: KernelMemory;
  readonly module: KernelModule;
  readonly scratch: number;
  readonly table: Int32Array;
  readonly start: number;
  readonly end: number;
  readonly rounds: number;
}

export interface ThreadAnswer {
  readonly cuts: readonly number[];
  readonly histogram: Uint32Array;
}

const { memory, module, scratch, table, start, end, rounds } = workerData as ThreadTask;
const kernels = memoryKernels(memory, { scratch, module });
const { bytes } = kernels;
const cuts: number[] = [];
let histogram: Uint32Array = new Uint32Array(0);
// Again and again, so that threads meet.
for (let round = 0; round < rounds; round += 1) {
  const scanner = kernels.gearScanner(table);
  for (let at = scanner.scan(bytes, start, end, 20); at !== -1; at = scanner.scan(bytes, at, end, 20)) cuts.push(at);
  histogram = kernels.histogram(bytes, start, end);
}
parentPort?.postMessage({ cuts, histogram } satisfies ThreadAnswer);
