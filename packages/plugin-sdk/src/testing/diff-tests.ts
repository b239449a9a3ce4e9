/** What `diff` has to stand. */

import { checkDifference } from '../check-answer.ts';
import type { DiffContext } from '../context.ts';
import { isLayoutError } from '../layout.ts';
import { plainContext } from '../plain-context.ts';
import type { Plugin } from '../plugin.ts';
import { memoryReader, type Reader } from '../reader.ts';
import { abortedAfter } from './aborted-after.ts';
import type { SampleTests } from './conformance.ts';
import type { TestRunner } from './sample.ts';
import { cutsOf, mutationsOf } from './variants.ts';

const mostVariants = 60;

export function declareDiffTests({ expect, test }: TestRunner, plugin: Plugin, tests: SampleTests): void {
  const { kind, options, sample } = tests;
  const { bytes, path, siblings } = sample;
  const read = (variant: Uint8Array): Reader => memoryReader(path, variant, siblings);
  const contextOf = (signal?: AbortSignal): DiffContext => plainContext({ kind, options, ...(signal && { signal }) });

  test('differs in nothing from itself', async () => {
    const difference = await plugin.diff?.(read(bytes), read(bytes), contextOf());
    expect(difference?.changes).toEqual([]);
    expect(difference?.lines).toEqual([]);
  });

  test('is compared with any other file, by a difference of the contract or a LayoutError', async () => {
    const variants = [
      ...cutsOf(bytes.length).map((cut) => bytes.subarray(0, cut)),
      ...mutationsOf(bytes, mostVariants),
    ].slice(0, 2 * mostVariants);
    const problems: string[] = [];
    for (const variant of variants) {
      for (const [before, after] of [
        [bytes, variant],
        [variant, bytes],
      ] as const) {
        try {
          const check = checkDifference(await plugin.diff?.(read(before), read(after), contextOf()));
          if (!check.ok) problems.push(check.reason);
        } catch (error) {
          if (!isLayoutError(error)) problems.push(String(error));
        }
      }
    }
    expect(problems).toEqual([]);
  });

  test('is compared only as long as the signal is not aborted', async () => {
    const ask = async (reader: Reader, signal: AbortSignal): Promise<unknown> =>
      plugin.diff?.(reader, read(bytes), contextOf(signal));
    expect(await abortedAfter(ask, read(bytes), 0)).toEqual('stopped');
  });
}
