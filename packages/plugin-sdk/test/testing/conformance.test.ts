import { describe, expect, test } from 'vitest';
import { type LayoutContext, makeLayout, type Layout, type Plugin, type Reader } from '../../src/index.ts';
import { pluginConformance } from '../../src/testing.ts';

/** A format of the tests: `TEST`, a length, so many bytes of tensor. */
const sample = { path: 'a.test', bytes: Uint8Array.of(0x54, 0x45, 0x53, 0x54, 4, 1, 2, 3, 4) };

async function layoutTest(reader: Reader, { signal }: LayoutContext): Promise<Layout | undefined> {
  if (reader.size < 5) return undefined;
  const [t, e, s, t2, length = 0] = await reader.read(0, 5, { signal });
  if (t !== 0x54 || e !== 0x45 || s !== 0x53 || t2 !== 0x54) return undefined;
  return makeLayout('test', [{ name: 'w', dtype: 'U8', shape: [length], offset: 5, length }], reader.size);
}

const good: Plugin = {
  apiVersion: 1,
  name: 'test',
  version: '1.0.0',
  match: [{ kind: 'model/test', magic: [{ offset: 0, bytes: '54455354' }] }],
  layout: layoutTest,
};

pluginConformance({ describe, test, expect }, good, { samples: [sample] });

/** Names of the tests that fail, each with the rule it broke. */
async function failuresOf(plugin: Plugin): Promise<readonly string[]> {
  const bodies: [string, () => Promise<void> | void][] = [];
  pluginConformance(
    { describe: (_, body) => body(), test: (name, body) => void bodies.push([name, body]), expect },
    plugin,
    { samples: [sample], mutations: 50 },
  );
  const failures: string[] = [];
  for (const [name, body] of bodies) {
    try {
      await body();
    } catch {
      failures.push(name);
    }
  }
  return failures;
}

const cut = 'may be empty, one byte long or cut off anywhere';
const changed = 'may be changed anywhere';
const enormous = 'may go on for a tebibyte, at its start or at its end';
const aborted = 'is given up when the signal is aborted';
const layout = 'has a layout, which is true, plain data and the same each time';

describe('the conformance suite finds', () => {
  test('nothing in a good plugin', async () => {
    expect(await failuresOf(good)).toEqual([]);
  });

  test('a manifest that is none', async () => {
    expect(await failuresOf({ ...good, name: 'No Name' })).toContain('has a valid manifest');
  });

  test('rules that do not match the samples', async () => {
    const match = [{ kind: 'model/test', extensions: ['.other'] }];
    expect(await failuresOf({ ...good, match })).toContain('is matched by its path and first bytes');
  });

  test('a plugin that reads past the end, even if it catches the error', async () => {
    const failures = await failuresOf({
      ...good,
      layout: async (reader, context) => {
        await reader.read(0, 1024, context).catch(() => undefined);
        return layoutTest(reader, context);
      },
    });
    expect(failures).toEqual(expect.arrayContaining([cut, changed]));
  });

  test('a plugin that reads the whole file', async () => {
    const failures = await failuresOf({
      ...good,
      layout: async (reader, context) => {
        for (let at = 0; at < reader.size; at += 1 << 20) {
          await reader.read(at, Math.min(1 << 20, reader.size - at), context);
        }
        return layoutTest(reader, context);
      },
    });
    expect(failures).toEqual([enormous]);
  });

  test('a plugin that throws what it likes', async () => {
    const failures = await failuresOf({
      ...good,
      layout: async (reader, context) => {
        if (reader.size !== sample.bytes.length) throw new TypeError('cannot read properties of undefined');
        return layoutTest(reader, context);
      },
    });
    expect(failures).toEqual(expect.arrayContaining([cut, enormous]));
  });

  test('a plugin that lies about places', async () => {
    const tensors = [{ name: 'w', dtype: 'U8', shape: [100], offset: 5, length: 100 }];
    const failures = await failuresOf({ ...good, layout: async () => ({ container: 'test', tensors }) });
    expect(failures).toEqual(expect.arrayContaining([layout, cut, changed]));
  });

  test('a plugin that answers otherwise each time', async () => {
    let calls = 0;
    const failures = await failuresOf({
      ...good,
      layout: async (reader, context) => {
        const found = await layoutTest(reader, context);
        return found && { ...found, container: `test${(calls += 1)}` };
      },
    });
    expect(failures).toEqual([layout]);
  });

  test('a plugin that goes on after the signal', async () => {
    const failures = await failuresOf({
      ...good,
      layout: (reader) => layoutTest(reader, { signal: new AbortController().signal } as LayoutContext),
    });
    expect(failures).toEqual([aborted]);
  });
});
