/**
 * The suite that every plugin passes, ours and anyone's: a valid manifest, answers that are the same each time and
 * plain data, and for files cut short, changed and made up either an answer or a LayoutError, at a bounded cost.
 */

import { checkLayout } from '../check-layout.ts';
import { LayoutError, layoutLimits, type Layout } from '../layout.ts';
import { magicSpan, matchingKind } from '../match.ts';
import { definePlugin, type LayoutContext, type Plugin } from '../plugin.ts';
import { memoryReader, type Reader } from '../reader.ts';
import { type ReadLimits, watchedReader } from './watched-reader.ts';

/** The three functions of vitest, jest and their kin. */
export interface TestRunner {
  describe(name: string, body: () => void): void;
  test(name: string, body: () => Promise<void> | void): void;
  expect(actual: unknown): { toEqual(expected: unknown): void };
}

/** A valid file of a kind that the plugin knows. */
export interface PluginSample {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface ConformanceOptions {
  /** Valid files of the plugin's kinds; at least one. Small ones keep the suite quick. */
  readonly samples: readonly PluginSample[];
  /** Changed copies of each sample; 200 unless given. The changes are the same on every run. */
  readonly mutations?: number;
}

const mostCuts = 300;
/** A file that no memory holds, so that whoever reads on and on is found out. */
const enormous = 2 ** 40;

/** Declares the tests for `plugin` with the runner's functions. */
export function pluginConformance(runner: TestRunner, plugin: Plugin, options: ConformanceOptions): void {
  const { describe, expect, test } = runner;
  const { mutations = 200, samples } = options;
  if (samples.length === 0) throw new TypeError('expected at least one sample, got none');

  describe(`plugin ${plugin.name}`, () => {
    test('has a valid manifest', () => {
      expect(definePlugin(plugin)).toEqual(plugin);
    });

    for (const sample of samples) {
      describe(sample.path, () => {
        test('is matched by its path and first bytes', () => {
          const head = sample.bytes.subarray(0, magicSpan(plugin.match));
          expect(typeof matchingKind(plugin.match, { path: sample.path, head })).toEqual('string');
        });
        if (plugin.layout !== undefined) declareLayoutTests(runner, plugin, { sample, mutations });
      });
    }
  });
}

interface LayoutTests {
  readonly sample: PluginSample;
  readonly mutations: number;
}

function declareLayoutTests({ expect, test }: TestRunner, plugin: Plugin, { mutations, sample }: LayoutTests): void {
  const { bytes, path } = sample;
  const expectFine = async (variant: Uint8Array, what: string): Promise<void> => {
    expect({ what, problems: await problemsWith(plugin, memoryReader(path, variant)) }).toEqual({ what, problems: [] });
  };

  test('has a layout, which is true, plain data and the same each time', async () => {
    const layout = await layoutOf(plugin, memoryReader(path, bytes));
    const check = checkLayout(layout, bytes.length);
    expect(check.ok ? 'ok' : check.reason).toEqual('ok');
    expect(JSON.parse(JSON.stringify(layout))).toEqual(layout);
    expect(await layoutOf(plugin, memoryReader(path, bytes))).toEqual(layout);
  });

  test('lists the tensors in the order of the file', async () => {
    const layout = await layoutOf(plugin, memoryReader(path, bytes));
    const check = checkLayout(layout, bytes.length);
    const sorted = check.ok ? check.layout.tensors.map(({ name }) => name) : [];
    expect(layout?.tensors.map(({ name }) => name)).toEqual(sorted);
  });

  test('is given up when the signal is aborted', async () => {
    for (let reads = 0; reads < 3; reads += 1) {
      expect(await abortedAfter(plugin, memoryReader(path, bytes), reads)).toEqual('stopped');
    }
  });

  test('may be empty, one byte long or cut off anywhere', async () => {
    const step = Math.max(1024, Math.ceil(bytes.length / mostCuts));
    const cuts = [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 63, 64, bytes.length - 1];
    for (let cut = step; cut < bytes.length; cut += step) cuts.push(cut);
    for (const cut of cuts) if (cut < bytes.length) await expectFine(bytes.subarray(0, cut), `cut at ${cut}`);
  });

  test('may be changed anywhere', async () => {
    const random = uniformNumbers(bytes.length);
    for (let round = 0; round < mutations; round += 1) {
      await expectFine(mutated(bytes, random), `mutation ${round}`);
    }
  });

  test('may go on for a tebibyte, at its start or at its end', async () => {
    for (const place of ['start', 'end'] as const) {
      const problems = await problemsWith(plugin, enormousReader(sample, place));
      expect({ place, problems }).toEqual({ place, problems: [] });
    }
  });
}

/** What is wrong with the plugin's answer to any file at all; no answer and a LayoutError are right ones. */
async function problemsWith(plugin: Plugin, reader: Reader): Promise<readonly string[]> {
  const watched = watchedReader(reader, readLimitsFor(reader.size));
  const problems: string[] = [];
  try {
    const layout = await plugin.layout?.(watched, contextWith(new AbortController().signal));
    const check = layout === undefined ? undefined : checkLayout(layout, reader.size);
    if (check?.ok === false) problems.push(`a layout that does not hold: ${check.reason}`);
  } catch (error) {
    if (!isLayoutError(error)) problems.push(`an exception that is no LayoutError: ${String(error)}`);
  }
  return [...problems, ...watched.violations];
}

/** Reading every byte four times over is already too much; a header is walked once. */
function readLimitsFor(size: number): ReadLimits {
  const totalBytes = Math.min(size * 4, layoutLimits.headerBytes) + (1 << 22);
  return { largestRead: 1 << 25, totalBytes, reads: 100_000 };
}

/** `stopped` where the plugin heeds a signal that is aborted once so many reads were made, or had finished by then. */
async function abortedAfter(plugin: Plugin, inner: Reader, reads: number): Promise<string> {
  const controller = new AbortController();
  if (reads === 0) controller.abort();
  let made = 0;
  let ignored = 0;
  const reader: Reader = {
    ...inner,
    async read(offset, length, { signal } = {}) {
      made += 1;
      const bytes = await inner.read(offset, length);
      if (controller.signal.aborted && signal?.aborted !== true) ignored += 1;
      if (made >= reads) controller.abort();
      signal?.throwIfAborted();
      return bytes;
    },
  };
  try {
    await plugin.layout?.(reader, contextWith(controller.signal));
  } catch (error) {
    if (error !== controller.signal.reason && !isLayoutError(error)) return `threw ${String(error)}`;
    return ignored > 0 ? 'read without passing the signal on' : 'stopped';
  }
  return made > reads || ignored > 0 ? `made ${made} reads, aborted after ${reads}` : 'stopped';
}

async function layoutOf(plugin: Plugin, reader: Reader): Promise<Layout | undefined> {
  return plugin.layout?.(reader, contextWith(new AbortController().signal));
}

function contextWith(signal: AbortSignal): LayoutContext {
  return { signal, limits: layoutLimits };
}

/** By name as well: a plugin may bring its own copy of this package. */
function isLayoutError(error: unknown): boolean {
  return error instanceof LayoutError || (error instanceof Error && error.name === 'LayoutError' && 'code' in error);
}

/** The sample with zeros after or before it, up to a tebibyte. */
function enormousReader({ bytes, path }: PluginSample, place: 'start' | 'end'): Reader {
  const start = place === 'start' ? 0 : enormous - bytes.length;
  const read: Reader['read'] = async (offset, length, { signal } = {}) => {
    signal?.throwIfAborted();
    const result = new Uint8Array(length);
    const from = Math.max(offset, start);
    const to = Math.min(offset + length, start + bytes.length);
    if (from < to) result.set(bytes.subarray(from - start, to - start), from - offset);
    return result;
  };
  return {
    path,
    size: enormous,
    read,
    async *stream(options) {
      for (let at = 0; at < enormous; at += 1 << 20) yield await read(at, 1 << 20, options);
    },
    sibling: async () => undefined,
  };
}

/** Flips bits, overwrites numbers with extreme ones, and copies, cuts out or inserts a stretch; mostly in headers. */
function mutated(bytes: Uint8Array, random: () => number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  const pick = (below: number): number => Math.floor(random() * below);
  // Headers and directories are at the ends, and a change in the middle of weights is none.
  const place = (): number => {
    const near = pick(Math.min(bytes.length, 4096));
    return [near, bytes.length - 1 - near, pick(bytes.length)][pick(3)] ?? 0;
  };
  for (let change = 0; change <= pick(4); change += 1) {
    const at = place();
    const length = Math.min(1 << pick(10), bytes.length - at);
    switch (pick(4)) {
      case 0:
        changed[at] = (changed[at] ?? 0) ^ (1 << pick(8));
        break;
      case 1:
        changed.fill([0x00, 0x7f, 0x80, 0xff][pick(4)] ?? 0, at, at + (1 << pick(4)));
        break;
      case 2:
        changed.copyWithin(place(), at, at + length);
        break;
      default:
        changed.copyWithin(at, at + length);
    }
  }
  const end = pick(4) === 0 ? bytes.length - pick(Math.min(bytes.length, 64)) : bytes.length;
  return changed.subarray(0, end);
}

/** Numbers in [0, 1), the same for the same seed: xorshift32. */
function uniformNumbers(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
