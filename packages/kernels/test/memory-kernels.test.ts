import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { kernelMemory, kernelModule, kernelScratchBytes, memoryKernels, twinKernels } from '../src/index.ts';
import type { ThreadAnswer, ThreadTask } from './thread.ts';

const module = kernelModule();
const tableOf = (factor: number): Int32Array => Int32Array.from({ length: 256 }, (_, i) => Math.imul(i + 1, factor));
const noise = (length: number): Uint8Array => {
  let word = 1;
  // xorshift32
  return Uint8Array.from({ length }, () => {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    return word;
  });
};

describe('kernels over one memory', () => {
  test('threads with a region each do not disturb each other', async () => {
    const memory = kernelMemory(4 * 1_048_576);
    const tables = [0x9e37_79b1, 0xc2b2_ae35, 0x27d4_eb2f].map(tableOf);
    const rounds = 8;
    const start = 65_536;
    const content = noise(1_000_003);
    new Uint8Array(memory.buffer).set(content, start);
    const answers = await Promise.all(
      tables.map(async (table, i) => {
        const end = start + content.length;
        const task: ThreadTask = { memory, module, scratch: i * kernelScratchBytes, table, start, end, rounds };
        const worker = new Worker(new URL('thread.ts', import.meta.url), { workerData: task });
        const [answer] = (await once(worker, 'message')) as [ThreadAnswer];
        await worker.terminate();
        return answer;
      }),
    );
    for (const [i, { cuts, histogram }] of answers.entries()) {
      const scanner = twinKernels.gearScanner(tables[i] ?? new Int32Array(256));
      const wanted: number[] = [];
      for (let at = 0; (at = scanner.scan(content, at, content.length, 20)) !== -1;) wanted.push(at + start);
      expect(wanted.length).toBeGreaterThan(50);
      expect(cuts).toEqual(Array.from({ length: rounds }, () => wanted).flat());
      expect(histogram).toEqual(twinKernels.histogram(content, 0, content.length));
    }
  });

  test('two instances in one thread keep their own hash and table', () => {
    const memory = kernelMemory(1_048_576);
    const instances = [0, kernelScratchBytes].map((scratch) => memoryKernels(memory, { scratch, module }));
    const content = noise(10_000);
    instances[0]?.bytes.set(content, 65_536);
    const tables = [tableOf(0x9e37_79b1), tableOf(0xc2b2_ae35)];
    const wanted = tables.map((table) => twinKernels.gearScanner(table).scan(content, 0, 10_000, 22) + 65_536);
    const scanners = instances.map((instance, i) => instance.gearScanner(tables[i] ?? new Int32Array(256)));
    for (const scanner of scanners) scanner.roll(new Uint8Array(0), 0, 0);
    const found = scanners.map((scanner, i) => scanner.scan(instances[i]?.bytes ?? content, 65_536, 75_536, 22));
    expect(found).toEqual(wanted);
  });

  test('a scanner goes on from bytes in the memory to bytes elsewhere and back', () => {
    const kernels = memoryKernels(kernelMemory(1_048_576), { scratch: 64, module });
    const table = tableOf(0x9e37_79b1);
    const content = noise(3000);
    kernels.bytes.set(content, 65_536);
    const inside = kernels.bytes.subarray(65_536, 65_536 + 3000);
    for (let border = 0; border < 3000; border += 13) {
      const mixed = kernels.gearScanner(table);
      const whole = twinKernels.gearScanner(table);
      mixed.roll(inside, 0, border);
      mixed.roll(content, border, border + 10);
      whole.roll(content, 0, border + 10);
      expect(mixed.scan(inside, border + 10, 3000, 24)).toBe(whole.scan(content, border + 10, 3000, 24));
    }
  });

  test('nothing is written outside the scratch region', () => {
    const scratch = 128;
    const kernels = memoryKernels(kernelMemory(131_072), { scratch, module });
    const { bytes } = kernels;
    bytes.fill(0x3c);
    const scanner = kernels.gearScanner(tableOf(3));
    scanner.scan(bytes, 65_536, 131_072, 20);
    scanner.roll(bytes, 65_536, 131_072);
    kernels.histogram(bytes, 65_536, 131_072);
    kernels.countNonFinite('F32', bytes, 65_536, 16_384);
    kernels.isZero(bytes, 65_536, 131_072);
    const changed = bytes.findIndex((byte) => byte !== 0x3c);
    const last = bytes.findLastIndex((byte) => byte !== 0x3c);
    expect(changed).toBeGreaterThanOrEqual(scratch);
    expect(last).toBeLessThan(scratch + kernelScratchBytes);
  });

  test('the last byte of the memory can be reached, and none behind it', () => {
    const kernels = memoryKernels(kernelMemory(65_536), { scratch: 0, module });
    const { bytes } = kernels;
    const end = bytes.length;
    bytes[end - 1] = 1;
    expect(kernels.endOfZeros(bytes, kernelScratchBytes, end)).toBe(end - 1);
    expect(kernels.histogram(bytes, end - 1, end)[1]).toBe(1);
    expect(() => kernels.endOfZeros(bytes, 0, end + 1)).toThrow(RangeError);
    expect(() => kernels.histogram(bytes, -1, end)).toThrow(RangeError);
    expect(() => kernels.firstNonFinite('F64', bytes, end - 15, 2)).toThrow(RangeError);
    expect(() => kernels.countNonFinite('F16', bytes, end, -1)).toThrow(RangeError);
    expect(() => kernels.gearScanner(tableOf(1)).scan(bytes.subarray(0, 10), 0, 11, 10)).toThrow(RangeError);
  });

  test.each([-64, 63, 65_536 - kernelScratchBytes + 64, Number.NaN])('no scratch region begins at %d', (scratch) => {
    expect(() => memoryKernels(kernelMemory(65_536), { scratch, module })).toThrow(RangeError);
  });
});
