import { describe, expect, test } from 'vitest';
import type { BlobId } from '../../../src/format/ids.ts';
import type { Layout, TensorSpan } from '../../../src/format/layout-record.ts';
import { parameters } from '../../../src/format/limits.ts';
import { type TensorQuestion, tensorCatalogue } from '../../../src/snapshot/relatives/tensor-catalogue.ts';
import { wantedOf } from '../../../src/snapshot/relatives/wanted.ts';
import { idOf } from '../../pack/test-keys.ts';

const MiB = 1024 * 1024;
const id = (name: string): BlobId => idOf(Buffer.from(name));

/** One tensor in a file of its own, and a name for each of its pieces. */
function fileOf(name: string, of: Partial<TensorSpan>, file = name): { layout: Layout; idAt: Map<number, BlobId> } {
  const span = { name, dtype: 'BF16', shape: [5 * MiB], offset: 100, length: 10 * MiB, unit: 2, ...of };
  const piece = parameters.pieceBytes - (parameters.pieceBytes % span.unit);
  const idAt = new Map<number, BlobId>();
  for (let at = 0; at < span.length; at += piece) idAt.set(span.offset + at, id(`${file} ${at / piece}`));
  return { layout: { container: 'test', tensors: [span] }, idAt };
}

const question = {
  name: 'a',
  dtype: 'BF16',
  unit: 2,
  shape: [5 * MiB],
  length: 10 * MiB,
  probe: undefined,
  sketch: undefined,
};

describe('the catalogue of tensors', () => {
  test('finds the same tensor of other files, the newest first, before those that are only alike', () => {
    const catalogue = tensorCatalogue();
    for (const [name, file] of [
      ['a', 'old'],
      ['b.a', 'kin'],
      ['a', 'new'],
      ['a', 'newest'],
    ] as const) {
      const { layout, idAt } = fileOf(name, {}, file);
      catalogue.add(layout, idAt);
    }
    expect(catalogue.find(question)?.bases.map(({ pieces }) => pieces[0])).toEqual(
      ['newest 0', 'new 0', 'old 0'].map(id),
    );
    expect(catalogue.find({ ...question, name: 'ca' })?.bases[0]?.pieces[1]).toEqual(id('newest 1'));
    expect(catalogue.find({ ...question, name: 'x.b.a' })?.bases[0]?.pieces[1]).toEqual(id('kin 1'));
  });

  test('finds older ones behind newer ones, in whichever order they were added, and the same bytes once', () => {
    const catalogue = tensorCatalogue();
    const add = (to: 'add' | 'addOlder', name: string, file: string): void => {
      const { layout, idAt } = fileOf(name, {}, file);
      catalogue[to](layout, idAt);
    };
    add('addOlder', 'a', 'yesterday');
    add('addOlder', 'a', 'yesterday');
    add('addOlder', 'a', 'last year');
    add('add', 'a', 'today');
    const found = catalogue.find(question)?.bases.map(({ pieces }) => pieces[0]);
    expect(found).toEqual(['today 0', 'yesterday 0', 'last year 0'].map(id));
  });

  test('finds those whose bytes are near, whatever they are called and however their shape is said', () => {
    const catalogue = tensorCatalogue();
    const sketch = (bits: number): string => ((1n << BigInt(bits)) - 1n).toString(16).padStart(64, '0');
    for (const [name, bits, shape] of [
      ['x.a', 200, [5 * MiB]],
      ['far', 30, [5, MiB]],
      ['b', 90, [5 * MiB]],
      ['near', 2, [5, MiB]],
      ['c', 65, [5, MiB]],
    ] as const) {
      const { layout, idAt } = fileOf(name, { sketch: sketch(bits), shape });
      catalogue.add(layout, idAt);
    }
    const firsts = (of: Partial<TensorQuestion>): unknown =>
      catalogue.find({ ...question, ...of })?.bases.map(({ pieces }) => pieces[0]);
    expect(firsts({ sketch: sketch(0) })).toEqual(['near 0', 'far 0', 'x.a 0'].map(id));
    // The same name comes before what is some bits nearer, and before all that is not near when it is not near itself.
    expect(firsts({ sketch: sketch(0), name: 'far', shape: [5, MiB] })).toEqual(['far 0', 'near 0', 'c 0'].map(id));
    expect(firsts({ sketch: sketch(0), name: 'b' })).toEqual(['near 0', 'far 0', 'b 0'].map(id));
    expect(firsts({})).toEqual(['x.a 0', 'b 0'].map(id));
  });

  test('finds none of another type, shape or size, of small tensors, and of numbers with their first byte first', () => {
    const catalogue = tensorCatalogue();
    const { layout, idAt } = fileOf('a', {});
    catalogue.add(layout, idAt);
    expect(catalogue.find({ ...question, dtype: 'F16' })).toBeUndefined();
    expect(catalogue.find({ ...question, shape: [5, MiB] })).toBeUndefined();
    expect(catalogue.find({ ...question, length: 8 * MiB })).toBeUndefined();
    const small = fileOf('s', { length: 1000, shape: [500] });
    catalogue.add(small.layout, small.idAt);
    const big = fileOf('big', { byteOrder: 'big' });
    catalogue.add(big.layout, big.idAt);
    const zero = fileOf('zero', {});
    catalogue.add(zero.layout, new Map());
    expect(catalogue.size).toBe(1);
  });

  test('finds what a tensor was made from by what its first numbers become', () => {
    const catalogue = tensorCatalogue();
    const { layout, idAt } = fileOf('source', { probes: { Q8_0: '12345678' } });
    catalogue.add(layout, idAt);
    const made = {
      name: 'x',
      dtype: 'Q8_0',
      unit: 34,
      shape: [5 * MiB],
      length: (5 * MiB * 34) / 32,
      probe: '12345678',
      sketch: undefined,
    };
    expect(catalogue.find(made)?.sources.map(({ dtype }) => dtype)).toEqual(['BF16']);
    expect(catalogue.find({ ...made, probe: '12345679' })).toBeUndefined();
    expect(catalogue.find({ ...made, length: 34 * MiB })).toBeUndefined();
  });
});

describe('what a piece may be built upon', () => {
  const piece = parameters.pieceBytes;
  const one = { file: 1, tensor: 0, shape: [4, piece / 2] };
  const bf16 = { dtype: 'BF16', pieceBytes: piece, pieces: [id('0'), id('1'), null, id('3')] };

  test('is the piece at the same place of a tensor of the same kind', () => {
    const element = { dtype: 'BF16', unit: 2 };
    const of = (offset: number): unknown =>
      wantedOf({ ...one, bases: [bf16], sources: [] }, element, { offset, length: 1000 })?.bases;
    expect(of(0)).toEqual([id('0')]);
    expect(of(3 * piece)).toEqual([id('3')]);
    expect(of(2 * piece)).toBeUndefined();
    expect(of(9 * piece)).toBeUndefined();
  });

  test('is all pieces that hold the numbers it was made from', () => {
    const element = { dtype: 'Q8_0', unit: 34 };
    const longest = piece - (piece % 34);
    const of = (offset: number, length: number): unknown =>
      wantedOf({ ...one, bases: [], sources: [bf16] }, element, { offset, length })?.sources[0];
    // A block of 34 bytes is 32 numbers, which are 64 bytes of the source.
    const source = { dtype: 'BF16', orders: [] };
    expect(of(0, 34 * 100)).toEqual({ ...source, blobs: [id('0')], offset: 0 });
    expect(of(0, longest)).toEqual({ ...source, blobs: [id('0'), id('1')], offset: 0 });
    expect(of(34 * 70_000, 34 * 100)).toEqual({ ...source, blobs: [id('1')], offset: 64 * 70_000 - piece });
    // Zeros that no blob holds cannot be built upon.
    expect(of(longest, longest)).toBeUndefined();
  });

  test('is all groups of rows that a converter may have put in another order', () => {
    // A row has 8 KiB as BF16, so a piece of 4 MiB has 512.
    const shape = [2 * 512, 4096];
    const pieces = [id('0'), id('1')];
    const sources = [{ dtype: 'BF16', pieceBytes: piece, pieces }];
    const rowBytes = (4096 / 32) * 34;
    const place = { offset: 500 * rowBytes + 340, length: 9 * rowBytes };
    const wanted = wantedOf({ ...one, shape, bases: [], sources }, { dtype: 'Q8_0', unit: 34 }, place);
    const orders = wanted?.sources[0]?.orders ?? [];
    expect(orders.map(({ order: { kind, rows } }) => `${rows} ${kind}`)).toEqual(
      [128, 64, 256, 32, 16].flatMap((rows) => [`${rows} interleaved`, `${rows} parted`]),
    );
    const start = 500 * 4096 + 320;
    for (const { blobs, offset, order } of orders) {
      const first = offset / 2 / 4096;
      expect(first % order.rows).toBe(0);
      expect(first * 4096 + order.skip).toBe(start);
      expect(order.skip).toBeLessThan(4096 * order.rows);
      // The last group has row 509, of which the piece has a part: that of 16 rows ends with the first blob.
      expect(blobs).toEqual(pieces.slice(0, 1));
    }
    const crossing = { ...place, length: 20 * rowBytes };
    const both = wantedOf({ ...one, shape, bases: [], sources }, { dtype: 'Q8_0', unit: 34 }, crossing);
    for (const { blobs } of both?.sources[0]?.orders ?? []) expect(blobs).toEqual(pieces);
  });

  test('is in no order where rows are shorter than what a probe looks at, or no whole blocks', () => {
    const sources = [bf16];
    for (const shape of [[4096, 1024], [1024, 2056], [131, 4096], [4_194_304], []]) {
      const wanted = wantedOf(
        { ...one, shape, bases: [], sources },
        { dtype: 'Q8_0', unit: 34 },
        { offset: 0, length: 340 },
      );
      expect(wanted?.sources[0]?.orders).toEqual([]);
    }
  });

  test('is nothing where the types are not known', () => {
    const relatives = { ...one, bases: [], sources: [bf16] };
    const place = { offset: 0, length: 3400 };
    expect(wantedOf(relatives, { dtype: 'strange', unit: 34 }, place)).toBeUndefined();
    expect(wantedOf(relatives, { dtype: 'Q8_0', unit: 33 }, place)).toBeUndefined();
  });
});
