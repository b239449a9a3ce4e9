/** What `inspect`, `validate`, `scan` and `drift` have to stand. */

import { checkExamination } from '../check-answer.ts';
import type { PluginContext, ReaderContext } from '../context.ts';
import { examineFile, examineStream } from '../examine.ts';
import type { Examination } from '../inspection.ts';
import { allFinite } from '../non-finite.ts';
import { plainContext } from '../plain-context.ts';
import type { Plugin } from '../plugin.ts';
import { memoryReader, type Reader } from '../reader.ts';
import { abortedAfter } from './aborted-after.ts';
import type { SampleTests } from './conformance.ts';
import type { TestRunner } from './sample.ts';
import { cutsOf, enormousReader, mutationsOf } from './variants.ts';
import { readLimitsFor, watchedReader } from './watched-reader.ts';

export function declareExamineTests({ expect, test }: TestRunner, plugin: Plugin, tests: SampleTests): void {
  const { kind, mutations, options, reads, sample } = tests;
  const { bytes, findings: expected = [], path, siblings } = sample;
  const read = (variant: Uint8Array): Reader => memoryReader(path, variant, siblings);
  const contextOf = (signal?: AbortSignal): ReaderContext => plainContext({ kind, options, ...(signal && { signal }) });
  const examine = async (reader: Reader, context: ReaderContext & PluginContext = contextOf()): Promise<Examination> =>
    reads === 'stream' ? examineStream(plugin, reader, context) : examineFile(plugin, reader, context);

  /** What is wrong with the answer to any file at all. */
  const problemsWith = async (reader: Reader, context = contextOf()): Promise<readonly string[]> => {
    const watched = watchedReader(reader, readLimitsFor(reader.size));
    const problems: string[] = [];
    try {
      const check = checkExamination(await examine(watched, context));
      if (!check.ok) problems.push(`an answer that breaks the contract: ${check.reason}`);
    } catch (error) {
      problems.push(`an exception that is no LayoutError: ${String(error)}`);
    }
    return [...problems, ...watched.violations];
  };
  const expectFine = async (variant: Uint8Array, what: string): Promise<void> => {
    expect({ what, problems: await problemsWith(read(variant)) }).toEqual({ what, problems: [] });
  };

  test('is examined: facts and findings of the contract, the same each time', async () => {
    const answer = await examine(read(bytes));
    const check = checkExamination(answer);
    expect(check.ok ? 'ok' : check.reason).toEqual('ok');
    expect(JSON.parse(JSON.stringify(answer))).toEqual(check.ok ? check.value : undefined);
    expect(await examine(read(bytes))).toEqual(answer);
  });

  test('has the findings that it should have', async () => {
    const { findings } = await examine(read(bytes));
    expect([...new Set(findings.map(({ code }) => code))].toSorted()).toEqual(expected);
  });

  test('is examined only as long as the signal is not aborted', async () => {
    for (let made = 0; made < 3; made += 1) {
      const ask = (reader: Reader, signal: AbortSignal): Promise<unknown> => examine(reader, contextOf(signal));
      expect(await abortedAfter(ask, read(bytes), made)).toEqual('stopped');
    }
  });

  test('may be empty, one byte long or cut off anywhere when it is examined', async () => {
    for (const cut of cutsOf(bytes.length)) await expectFine(bytes.subarray(0, cut), `cut at ${cut}`);
  });

  test('may be changed anywhere when it is examined', async () => {
    let round = 0;
    for (const variant of mutationsOf(bytes, mutations)) await expectFine(variant, `mutation ${(round += 1)}`);
  });

  if (reads === 'stream') {
    test('is examined alike, however its bytes arrive', async () => {
      const whole = await examine(read(bytes));
      for (const size of [1, 2, 3, 7, 64, 4095]) {
        expect({ size, answer: await examine(inPieces(read(bytes), size)) }).toEqual({ size, answer: whole });
      }
    });
  } else {
    test('may go on for a tebibyte when it is examined', async () => {
      // What is looked for in the rows of tensors is the host's to read.
      const context: ReaderContext = { ...contextOf(), nonFinite: async (_, spans) => spans.map(() => allFinite) };
      for (const place of ['start', 'end'] as const) {
        const problems = await problemsWith(enormousReader(sample, place), context);
        expect({ place, problems }).toEqual({ place, problems: [] });
      }
    });
  }

  if (plugin.drift !== undefined) {
    test('has no drift against itself', async () => {
      const facts = (await examine(read(bytes))).inspection?.facts ?? {};
      expect(await plugin.drift?.(facts, facts, contextOf())).toEqual([]);
    });
  }
}

function inPieces(inner: Reader, size: number): Reader {
  return {
    ...inner,
    async *stream(options) {
      for await (const piece of inner.stream(options)) {
        for (let at = 0; at < piece.length; at += size) yield piece.subarray(at, at + size);
      }
    },
  };
}
