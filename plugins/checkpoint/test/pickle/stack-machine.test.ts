import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { walkPickle } from '../../src/pickle/stack-machine.ts';
import { pickleBytes } from '../../../../test/assets/pickle-bytes.ts';
import { pickledStorage } from '../../../../test/assets/torch-zip-file.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

const manyGets = Array.from({ length: 600_000 }, (_, place) => `g${place}\n0`).join('');

describe('walkPickle', () => {
  test('finds storages and follows tuples', () => {
    const { failure, root, storages } = walkPickle(
      pickleBytes({ tuple: [pickledStorage('HalfStorage', '7', 12), 'x', 3] }),
    );
    expect(failure).toBeUndefined();
    expect(storages).toEqual([{ kind: 'storage', key: '7', type: 'HalfStorage', length: 12 }]);
    expect(root).toMatchObject({ kind: 'tuple', items: [storages[0], 'x', 3] });
  });

  test('follows protocol 4: short strings, memo, frames and STACK_GLOBAL', () => {
    const text = (value: string): string => `\x8c${String.fromCharCode(value.length)}${value}\x94`;
    const storage = `(${text('storage')}${text('torch')}${text('LongStorage')}\x93\x94${text('0')}${text('cpu')}K\x05tQ`;
    const { root, storages } = walkPickle(bytesOf(`\x80\x04\x95\x20\0\0\0\0\0\0\0${storage}0h\x02.`));
    expect(storages).toMatchObject([{ key: '0', type: 'LongStorage', length: 5 }]);
    expect(root).toBe('LongStorage');
  });

  test('follows protocol 0: text numbers, strings, DICT, LIST, PUT and GET', () => {
    const { root } = walkPickle(bytesOf("((dp0\nS'k'\n(I1\nL2L\nlp1\ns0g1\nt."));
    expect(root).toMatchObject({ kind: 'tuple', items: [{ kind: 'container', length: 2 }] });
  });

  test('calls nothing and looks nothing up', () => {
    const call = pickleBytes({ call: { global: ['os', 'system'] }, args: ['touch /tmp/never'] });
    expect(walkPickle(call).root).toEqual({
      kind: 'container',
      length: 0,
      members: [{ key: undefined, value: 'touch /tmp/never' }],
    });
  });

  test.each<[string, string, RegExp]>([
    ['an empty stream', '', /ends without STOP/],
    ['no STOP', 'N', /ends without STOP/],
    ['a byte that is no opcode', '\x00', /0x0 is no opcode/],
    ['a stack that runs empty', 'R.', /a value was expected/],
    ['a tuple without its mark', 'Nt.', /a mark was expected/],
    ['a mark where a value should be', '(.', /a value was expected/],
    ['a memo place never filled', 'h\x05.', /memo 5 was never put/],
    ['a pile of values', 'N'.repeat(600_000), /more than 500000 values on the stack/],
    ['a pile of tuples', `${'K\x01K\x01\x86'.repeat(300_000)}`, /more than 500000 values are kept/],
    ['a pile of memo places that are read again', `N${'\x94'.repeat(600_000)}${manyGets}.`, /500000 values are kept/],
  ])('stops at %s, and says why', (_, pickle, reason) => {
    const { failure, root } = walkPickle(bytesOf(pickle));
    expect(root).toBeUndefined();
    expect(failure?.message).toMatch(reason);
  });

  test('keeps what it found before it had to stop', () => {
    const whole = pickleBytes({
      list: [pickledStorage('FloatStorage', '0', 1), pickledStorage('FloatStorage', '1', 1)],
    });
    expect(walkPickle(whole.subarray(0, -8)).storages).toHaveLength(1);
  });

  test('is not thrown off by calls within calls', () => {
    const name = 'ctorch._tensor\n_rebuild_from_type_v2\n';
    const deep = `${`${name}(${name}N`.repeat(1000)}N${'NttR'.repeat(1000)}.`;
    expect(() => walkPickle(bytesOf(deep))).not.toThrow();
  });

  test('comes back from any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const { failure, root } = walkPickle(bytes);
        expect((failure === undefined) === (root !== undefined)).toBe(true);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});
