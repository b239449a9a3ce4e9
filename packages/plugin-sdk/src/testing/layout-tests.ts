/** What `layout` has to stand. */

import { checkLayout } from '../check-layout.ts';
import { isLayoutError, type Layout, layoutLimits } from '../layout.ts';
import type { LayoutContext, Plugin } from '../plugin.ts';
import { memoryReader, type Reader } from '../reader.ts';
import { abortedAfter } from './aborted-after.ts';
import type { SampleTests } from './conformance.ts';
import type { TestRunner } from './sample.ts';
import { cutsOf, enormousReader, mutationsOf } from './variants.ts';
import { readLimitsFor, watchedReader } from './watched-reader.ts';

export function declareLayoutTests(
  { expect, test }: TestRunner,
  plugin: Plugin,
  { mutations, sample }: SampleTests,
): void {
  const { bytes, hasLayout = true, path, siblings } = sample;
  const read = (variant: Uint8Array): Reader => memoryReader(path, variant, siblings);
  const expectFine = async (variant: Uint8Array, what: string): Promise<void> => {
    expect({ what, problems: await problemsWith(plugin, read(variant)) }).toEqual({ what, problems: [] });
  };

  if (hasLayout) {
    test('has a layout, which is true, plain data and the same each time', async () => {
      const layout = await layoutOf(plugin, read(bytes));
      const check = checkLayout(layout, bytes.length);
      expect(check.ok ? 'ok' : check.reason).toEqual('ok');
      expect(JSON.parse(JSON.stringify(layout))).toEqual(layout);
      expect(await layoutOf(plugin, read(bytes))).toEqual(layout);
    });

    test('lists the tensors in the order of the file', async () => {
      const layout = await layoutOf(plugin, read(bytes));
      const check = checkLayout(layout, bytes.length);
      const sorted = check.ok ? check.layout.tensors.map(({ name }) => name) : [];
      expect(layout?.tensors.map(({ name }) => name)).toEqual(sorted);
    });
  } else {
    test('has no layout', async () => {
      expect(await layoutOf(plugin, read(bytes))).toEqual(undefined);
    });
  }

  test('is given up when the signal is aborted', async () => {
    for (let reads = 0; reads < 3; reads += 1) {
      const ask = async (reader: Reader, signal: AbortSignal): Promise<unknown> =>
        plugin.layout?.(reader, contextWith(signal));
      expect(await abortedAfter(ask, read(bytes), reads)).toEqual('stopped');
    }
  });

  test('may be empty, one byte long or cut off anywhere', async () => {
    for (const cut of cutsOf(bytes.length)) await expectFine(bytes.subarray(0, cut), `cut at ${cut}`);
  });

  test('may be changed anywhere', async () => {
    let round = 0;
    for (const variant of mutationsOf(bytes, mutations)) await expectFine(variant, `mutation ${(round += 1)}`);
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

async function layoutOf(plugin: Plugin, reader: Reader): Promise<Layout | undefined> {
  return plugin.layout?.(reader, contextWith(new AbortController().signal));
}

function contextWith(signal: AbortSignal): LayoutContext {
  return { signal, limits: layoutLimits };
}
