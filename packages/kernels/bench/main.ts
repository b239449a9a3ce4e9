/**
 * How fast each kernel is on one core, beside its plain twin: medians of rounds in which all take turns, so that what
 * else the machine does falls on all of them alike. Run it with `pnpm bench:kernels`; `--json` prints JSON.
 */
import { randomFillSync } from 'node:crypto';
import { kernelMemory, kernelScratchBytes, type Kernels, memoryKernels, twinKernels } from '../src/index.ts';

const MiB = 1_048_576;
const rangeBytes = 16 * MiB;
const warmUps = 3;
const rounds = 15;

interface Task {
  readonly name: string;
  /** Content of the range. */
  readonly fill: (bytes: Uint8Array) => void;
  /** Goes once over `bytes[start..end)`; its answer is compared. */
  readonly run: (kernels: Kernels, bytes: Uint8Array, start: number, end: number) => unknown;
}

const table = randomFillSync(new Int32Array(256));
const noise = (bytes: Uint8Array): void => void randomFillSync(bytes);
/** Finite as an element of every kind. */
const finite = (bytes: Uint8Array): void => void bytes.fill(0x3c);

const tasks: readonly Task[] = [
  { name: 'gear scan, noise, every 256 KiB a cut', fill: noise, run: cutsOf },
  { name: 'zero run', fill: (bytes) => void bytes.fill(0), run: (kernels, ...range) => kernels.isZero(...range) },
  ...(['F64', 'F32', 'F16', 'BF16'] as const).flatMap((dtype): Task[] => {
    const size = { F64: 8, F32: 4, F16: 2, BF16: 2 }[dtype];
    return [
      {
        name: `first non-finite ${dtype}, none`,
        fill: finite,
        run: (kernels, bytes, start, end) => kernels.firstNonFinite(dtype, bytes, start, (end - start) / size),
      },
      {
        name: `count of non-finite ${dtype}, noise`,
        fill: noise,
        run: (kernels, bytes, start, end) => kernels.countNonFinite(dtype, bytes, start, (end - start) / size),
      },
    ];
  }),
  { name: 'histogram, noise', fill: noise, run: histogramOf },
  { name: 'histogram, one byte', fill: finite, run: histogramOf },
];

const wasm = memoryKernels(kernelMemory(rangeBytes + kernelScratchBytes), { scratch: 0 });
const own = new Uint8Array(rangeBytes + kernelScratchBytes);

const rows = tasks.map(({ name, fill, run }) => {
  fill(own.subarray(kernelScratchBytes));
  wasm.bytes.set(own.subarray(kernelScratchBytes), kernelScratchBytes);
  const wasmRates: number[] = [];
  const twinRates: number[] = [];
  for (let round = -warmUps; round < rounds; round += 1) {
    const byWasm = timed(() => run(wasm, wasm.bytes, kernelScratchBytes, own.length));
    const byTwin = timed(() => run(twinKernels, own, kernelScratchBytes, own.length));
    if (String(byWasm.answer) !== String(byTwin.answer)) throw new Error(`${name}: the twins do not agree`);
    if (round < 0) continue;
    wasmRates.push(byWasm.rate);
    twinRates.push(byTwin.rate);
  }
  return { name, wasm: summary(wasmRates), twin: summary(twinRates) };
});

if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ node: process.version, rangeBytes, rounds, unit: 'GB/s', rows }, undefined, 2));
} else {
  console.log('GB/s, median (best)                        WebAssembly       TypeScript');
  for (const { name, wasm: fast, twin } of rows) {
    console.log(`${name.padEnd(40)} ${shown(fast)}  ${shown(twin)}`);
  }
}

/** Bits that make a cut of noise every 2^18 bytes, as the late stage of the content cutter does. */
function cutsOf(kernels: Kernels, bytes: Uint8Array, start: number, end: number): readonly number[] {
  const scanner = kernels.gearScanner(table);
  const cuts: number[] = [];
  for (let at = scanner.scan(bytes, start, end, 14); at !== -1; at = scanner.scan(bytes, at, end, 14)) {
    cuts.push(at - start);
  }
  return cuts;
}

function histogramOf(kernels: Kernels, bytes: Uint8Array, start: number, end: number): Uint32Array {
  return kernels.histogram(bytes, start, end);
}

function timed(work: () => unknown): { readonly answer: unknown; readonly rate: number } {
  const begin = performance.now();
  const answer = work();
  return { answer, rate: rangeBytes / (performance.now() - begin) / 1e6 };
}

function summary(rates: readonly number[]): { readonly median: number; readonly best: number } {
  const sorted = rates.toSorted((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, best: sorted.at(-1) ?? 0 };
}

function shown({ median, best }: { readonly median: number; readonly best: number }): string {
  return `${median.toFixed(2).padStart(7)} (${best.toFixed(2).padStart(5)})`;
}
