import { type Difference, memoryReader, plainContext } from '@mbk/plugin-sdk';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plugin } from '../src/index.ts';

async function diff(before: string, after: string, extension = 'yaml'): Promise<Difference> {
  const reader = (text: string) => memoryReader(`a.${extension}`, new TextEncoder().encode(text));
  const context = plainContext({
    kind: `config/${extension}`,
    options: { secrets: 'warning' as const, allowSecretsIn: [], schemas: [] },
  });
  const difference = await plugin.diff?.(reader(before), reader(after), context);
  if (difference === undefined) throw new Error('the plugin has no diff');
  return difference;
}

test('order, comments, layout and the way numbers are written are no changes', async () => {
  const { changes } = await diff(
    'a: 1\nb: {c: 0.0001, d: [1, 2]}\n',
    '# new\nb:\n  d:\n  - 1\n  - 2\n  c: 1.0e-4\na: 1.0\n',
  );
  expect(changes).toEqual([]);
});

test('what changed is told by its path, for people and as a patch', async () => {
  const { lines, patch } = await diff('lr: 2.0e-5\nold: x\nr: 16\n', 'lr: 1.0e-5\nr: "16"\nnew: [1]\n');
  expect(lines).toEqual(['- /old: "x"', '~ /lr: 0.00002 → 0.00001', '~ /r: 16 → "16" (number to text)', '+ /new: [1]']);
  expect(patch).toEqual([
    { op: 'remove', path: '/old' },
    { op: 'replace', path: '/lr', value: 0.000_01 },
    { op: 'replace', path: '/r', value: '16' },
    { op: 'add', path: '/new', value: [1] },
  ]);
});

test('an item put into a list is one change', async () => {
  const { lines } = await diff('a: [1, 2, 3, 4]\n', 'a: [1, 2, 9, 3, 4]\n');
  expect(lines).toEqual(['+ /a/2: 9']);
});

test('a secret that changed is never shown', async () => {
  const difference = await diff('api_key: q8Zk2mX9vB4nT7w\n', 'api_key: p1Yj3nW8uA5mS6v\n');
  expect(difference.changes).toHaveLength(1);
  expect(JSON.stringify(difference)).not.toMatch(/q8Zk2mX9|p1Yj3nW8/);
});

test('a version that cannot be read says so', async () => {
  expect(await diff('a: 1\n', 'a: [\n')).toEqual({
    changes: [],
    lines: ['the newer version cannot be read as a configuration'],
  });
});

test('the patch makes the second version of the first', async () => {
  const document = fc.jsonValue({ depthSize: 'small', maxDepth: 4 });
  await fc.assert(
    fc.asyncProperty(document, document, async (before, after) => {
      const [old, now] = [JSON.stringify({ x: before }), JSON.stringify({ x: after })];
      const { patch } = await diff(old, now, 'json');
      expect(applied(JSON.parse(old), patch)).toEqual(JSON.parse(now));
    }),
    { numRuns: 200 },
  );
});

/** RFC 6902, as far as the plugin uses it. */
function applied(document: unknown, patch: unknown): unknown {
  const root = { document };
  for (const step of patch as readonly { op: string; path: string; value?: unknown }[]) {
    const names = `/document${step.path}`
      .split('/')
      .slice(1)
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = names.pop() ?? '';
    let target: unknown = root;
    for (const name of names) target = Reflect.get(Object(target), name);
    if (Array.isArray(target))
      target.splice(Number(last), step.op === 'add' ? 0 : 1, ...(step.op === 'remove' ? [] : [step.value]));
    else if (step.op === 'remove') Reflect.deleteProperty(Object(target), last);
    else
      Object.defineProperty(Object(target), last, {
        value: step.value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return root.document;
}
