/** The coder of symbols with contexts: WebAssembly and its twin give the same bytes, and what is coded is read back. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  contextCountsBytes,
  contextDecodeTableBytes,
  contextEncodeTableBytes,
  type ContextKernels,
  contextLanesRoom,
  contextMapBytes,
  contextNextBytes,
  contextStates,
  contextWeightSum,
  kernelMemory,
  twinContexts,
  wasmContexts,
} from '../src/index.ts';

const memory = kernelMemory(262_144);
const wasm = wasmContexts(memory);
const twin = twinContexts(new Uint8Array(memory.buffer.byteLength));

/** Contexts of the tests. */
const kinds = 4;
const at = regions({
  next: contextNextBytes,
  map: contextMapBytes,
  weights: 512 * kinds,
  sizes: 16,
  encode: contextEncodeTableBytes * kinds,
  decode: contextDecodeTableBytes * kinds,
  counts: contextCountsBytes * kinds,
  known: 4096,
  symbols: 4096,
  contexts: 4096,
  coded: contextLanesRoom(4096),
  back: 4096 + 64,
});

function regions<Name extends string>(sizes: Readonly<Record<Name, number>>): Readonly<Record<Name, number>> {
  let end = 64;
  const places = Object.entries<number>(sizes).map(([name, size]) => {
    end += size + 128;
    return [name, end - size - 128];
  });
  return Object.fromEntries(places) as Record<Name, number>;
}

/** Weights of 256 symbols whose sum is right: those of `symbols` share all. */
function weightsOf(symbols: readonly number[], shares: readonly number[]): Uint16Array {
  const weights = new Uint16Array(256);
  let left = contextWeightSum - symbols.length;
  for (const [i, symbol] of symbols.entries()) {
    const isLast = i === symbols.length - 1;
    const share = isLast ? left : Math.floor((left * ((shares[i % shares.length] ?? 0) % 100)) / 100);
    weights[symbol] = 1 + share;
    left -= share;
  }
  return weights;
}

interface Model {
  readonly next: Uint8Array;
  readonly map: Uint8Array;
  readonly weights: readonly Uint16Array[];
}

/** Tables of any content: a small seed fills them, so that cases stay small. */
const model: fc.Arbitrary<Model> = fc
  .tuple(
    fc.uniqueArray(fc.nat(255), { minLength: 1, maxLength: 256 }),
    fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
    fc.nat(),
    fc.boolean(),
  )
  .map(([symbols, shares, seed, isStateless]) => {
    const noise = (i: number): number => Math.imul(i + seed, 0x9e37_79b1) >>> 20;
    return {
      next: Uint8Array.from({ length: contextNextBytes }, (_, i) => (isStateless ? 0 : noise(i) % contextStates)),
      map: Uint8Array.from({ length: contextMapBytes }, (_, i) => noise(i) % kinds),
      // All contexts have the same symbols, with other weights.
      weights: Array.from({ length: kinds }, (_, i) => weightsOf(symbols, [...shares.slice(i % shares.length), i])),
    };
  });
const picks = fc.oneof(
  fc.array(fc.nat(), { maxLength: 12 }),
  fc.array(fc.nat(), { minLength: 100, maxLength: 1500 }),
  fc.array(fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1), { maxLength: 1500 }),
);

function load({ bytes }: ContextKernels, { next, map, weights }: Model): void {
  bytes.fill(0xa5);
  bytes.set(next, at.next);
  bytes.set(map, at.map);
  for (const [i, each] of weights.entries()) bytes.set(new Uint8Array(each.buffer), at.weights + 512 * i);
}

/** The symbols and what is known of each, in the memory. */
function place({ bytes }: ContextKernels, { weights }: Model, chosen: readonly number[]): Uint8Array {
  const symbols = [...(weights[0] ?? []).entries()].flatMap(([symbol, weight]) => (weight > 0 ? [symbol] : []));
  const coded = Uint8Array.from(chosen, (pick) => symbols[pick % symbols.length] ?? 0);
  bytes.set(coded, at.symbols);
  bytes.set(
    Uint8Array.from(chosen, (pick, i) => pick + i),
    at.known,
  );
  return coded;
}

function sizesOf({ bytes }: ContextKernels): [number, number, number, number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const size = (k: number): number => view.getUint32(at.sizes + 4 * k, true);
  return [size(0), size(1), size(2), size(3)];
}

describe('symbols with contexts', () => {
  test('are read back, and both code them alike and write nothing outside', () => {
    fc.assert(
      fc.property(model, picks, (given, chosen) => {
        const answers = [twin, wasm].map((kernels) => {
          const { bytes } = kernels;
          load(kernels, given);
          const symbols = place(kernels, given, chosen);
          const { length } = symbols;
          kernels.findContexts(at.next, at.map, at.known, at.symbols, length, at.contexts);
          bytes.fill(0, at.encode, at.encode + kinds * contextEncodeTableBytes);
          for (let i = 0; i < kinds; i += 1) {
            kernels.makeContextEncodeTable(at.weights + 512 * i, at.encode + contextEncodeTableBytes * i);
            const table = at.decode + contextDecodeTableBytes * i;
            expect(kernels.makeContextDecodeTable(at.weights + 512 * i, table)).toBe(true);
          }
          const end = kernels.encodeContexts(at.encode, at.contexts, at.symbols, length, at.coded, at.sizes);
          const room = at.coded + contextLanesRoom(length);
          expect(bytes.subarray(room, room + 64)).toEqual(new Uint8Array(64).fill(0xa5));
          const sizes = sizesOf(kernels);
          expect(sizes.reduce((sum, size) => sum + size, at.coded)).toBe(end);
          const coded = bytes.slice(at.coded, end);
          const isRead = kernels.decodeContexts(at.decode, at.next, at.map, at.known, at.coded, sizes, at.back, length);
          expect(isRead).toBe(true);
          expect(Buffer.compare(bytes.subarray(at.back, at.back + length), symbols)).toBe(0);
          expect(bytes.subarray(at.back + length, at.back + length + 64)).toEqual(new Uint8Array(64).fill(0xa5));
          return {
            coded,
            sizes,
            contexts: bytes.slice(at.contexts, at.contexts + length),
            tables: bytes.slice(at.encode, at.counts),
          };
        });
        expect(answers[1]).toEqual(answers[0]);
      }),
      { numRuns: 60 },
    );
  });

  test('are counted for each context', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(kinds - 1), fc.nat(255)), { maxLength: 500 }), (pairs) => {
        for (const kernels of [twin, wasm]) {
          kernels.bytes.fill(0, at.counts, at.counts + kinds * contextCountsBytes);
          kernels.bytes.set(
            pairs.map(([context]) => context),
            at.contexts,
          );
          kernels.bytes.set(
            pairs.map(([, symbol]) => symbol),
            at.symbols,
          );
          kernels.countContexts(at.counts, at.contexts, at.symbols, pairs.length);
          const wanted = new Uint32Array(kinds * 256);
          for (const [context, symbol] of pairs)
            wanted[256 * context + symbol] = (wanted[256 * context + symbol] ?? 0) + 1;
          const view = new DataView(kernels.bytes.buffer, kernels.bytes.byteOffset);
          expect(Uint32Array.from(wanted, (_, i) => view.getUint32(at.counts + 4 * i, true))).toEqual(wanted);
          kernels.sumCounts(at.counts, kinds, at.weights);
          for (let context = 0; context < kinds; context += 1) {
            const times = pairs.filter(([own]) => own === context).length;
            expect(view.getUint32(at.weights + 4 * context, true)).toBe(times);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('contexts are replaced by others', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ minLength: 256, maxLength: 256 }),
        (bytes, table) => {
          for (const kernels of [twin, wasm]) {
            kernels.bytes.fill(0xa5);
            kernels.bytes.set(bytes, at.contexts);
            kernels.bytes.set(table, at.map);
            kernels.translate(at.contexts, bytes.length, at.map);
            const end = at.contexts + bytes.length;
            expect(kernels.bytes.slice(at.contexts, end)).toEqual(bytes.map((byte) => table[byte] ?? 0));
            expect(kernels.bytes[end]).toBe(0xa5);
          }
        },
      ),
    );
  });

  test('a symbol that is alone in its context takes no bits', () => {
    const given: Model = {
      next: new Uint8Array(contextNextBytes),
      map: new Uint8Array(contextMapBytes),
      weights: Array.from({ length: kinds }, () => weightsOf([200], [1])),
    };
    load(wasm, given);
    place(
      wasm,
      given,
      Array.from({ length: 1000 }, () => 3),
    );
    wasm.findContexts(at.next, at.map, at.known, at.symbols, 1000, at.contexts);
    wasm.makeContextEncodeTable(at.weights, at.encode);
    wasm.encodeContexts(at.encode, at.contexts, at.symbols, 1000, at.coded, at.sizes);
    expect(sizesOf(wasm)).toEqual([4, 4, 4, 4]);
  });

  test('take what their entropy is', () => {
    const chances = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2049];
    const weights = new Uint16Array(256);
    weights.set(chances);
    const given: Model = {
      next: new Uint8Array(contextNextBytes),
      map: new Uint8Array(contextMapBytes),
      weights: Array.from({ length: kinds }, () => weights),
    };
    load(wasm, given);
    const symbols = chances.flatMap((times, symbol) => Array.from({ length: times }, () => symbol));
    place(wasm, given, symbols);
    wasm.findContexts(at.next, at.map, at.known, at.symbols, symbols.length, at.contexts);
    wasm.makeContextEncodeTable(at.weights, at.encode);
    const end = wasm.encodeContexts(at.encode, at.contexts, at.symbols, symbols.length, at.coded, at.sizes);
    const bits = chances.reduce((sum, times) => sum + times * Math.log2(contextWeightSum / times), 0);
    expect(end - at.coded).toBeLessThan(bits / 8 + 24);
  });
});

describe('lanes that nobody wrote', () => {
  test('both read the same or refuse, and write nothing outside', () => {
    const sizes = fc.tuple(fc.nat(60), fc.nat(60), fc.nat(60), fc.nat(60));
    fc.assert(
      fc.property(
        model,
        fc.uint8Array({ minLength: 240, maxLength: 240 }),
        sizes,
        fc.nat(300),
        fc.boolean(),
        (given, noise, each, count, isSound) => {
          const answers = [twin, wasm].map((kernels) => {
            const { bytes } = kernels;
            load(kernels, given);
            bytes.set(noise, at.coded);
            // The states that lanes begin with are sound, so that what comes then is read.
            const lanes = [0, each[0], each[0] + each[1], each[0] + each[1] + each[2]];
            if (isSound) for (const lane of lanes) bytes.set([1, 2, 3, 4], at.coded + lane);
            bytes.fill(7, at.known, at.known + count);
            for (let i = 0; i < kinds; i += 1)
              kernels.makeContextDecodeTable(at.weights + 512 * i, at.decode + contextDecodeTableBytes * i);
            const isRead = kernels.decodeContexts(at.decode, at.next, at.map, at.known, at.coded, each, at.back, count);
            expect(bytes.subarray(at.back - 64, at.back)).toEqual(new Uint8Array(64).fill(0xa5));
            expect(bytes.subarray(at.back + count, at.back + count + 64)).toEqual(new Uint8Array(64).fill(0xa5));
            return { isRead, symbols: isRead ? bytes.slice(at.back, at.back + count) : undefined };
          });
          expect(answers[1]).toEqual(answers[0]);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('damage of what was coded is refused or gives other symbols', () => {
    const weights = weightsOf([1, 2, 3, 4, 5], [40, 50]);
    const given: Model = {
      next: new Uint8Array(contextNextBytes),
      map: new Uint8Array(contextMapBytes),
      weights: Array.from({ length: kinds }, () => weights),
    };
    load(wasm, given);
    const symbols = place(
      wasm,
      given,
      Array.from({ length: 999 }, (_, i) => (i * i) % 5),
    );
    wasm.findContexts(at.next, at.map, at.known, at.symbols, 999, at.contexts);
    wasm.makeContextEncodeTable(at.weights, at.encode);
    wasm.makeContextDecodeTable(at.weights, at.decode);
    const end = wasm.encodeContexts(at.encode, at.contexts, at.symbols, 999, at.coded, at.sizes);
    const read = (): boolean =>
      wasm.decodeContexts(at.decode, at.next, at.map, at.known, at.coded, sizesOf(wasm), at.back, 999);
    expect(read()).toBe(true);
    for (let place = at.coded; place < end; place += 1) {
      const was = wasm.bytes[place] ?? 0;
      wasm.bytes[place] = was ^ 16;
      if (read()) expect(Buffer.compare(wasm.bytes.subarray(at.back, at.back + 999), symbols)).not.toBe(0);
      wasm.bytes[place] = was;
    }
  });

  test('only weights that add up make a table', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(65_535), { maxLength: 256 }), fc.boolean(), (some, isRight) => {
        const weights = new Uint16Array(256);
        weights.set(some);
        if (isRight) weights.set(weightsOf([some.length % 256, 255], [50]));
        const sum = weights.reduce((all, one) => all + one, 0);
        for (const kernels of [twin, wasm]) {
          kernels.bytes.set(new Uint8Array(weights.buffer), at.weights);
          expect(kernels.makeContextDecodeTable(at.weights, at.decode)).toBe(sum === contextWeightSum);
        }
      }),
    );
  });
});
