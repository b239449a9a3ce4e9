import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeBundle,
  encodeBundle,
  gitObjectId,
  gitObjectTypes,
  type GitObject,
} from '../../src/format/catalogue-bundle.ts';
import { concatBytes, utf8 } from '../../src/format/bytes.ts';

function object(type: GitObject['type'], content: Uint8Array): GitObject {
  return { id: gitObjectId(type, content), type, content };
}

const objects = fc.uniqueArray(
  fc
    .tuple(fc.constantFrom(...gitObjectTypes), fc.uint8Array({ maxLength: 200 }))
    .map(([type, bytes]) => object(type, bytes)),
  { selector: ({ id }) => id, maxLength: 8 },
);

describe('catalogue bundle', () => {
  test('ids are the ones that Git computes', () => {
    // printf 'hello\n' | git hash-object --stdin; git hash-object -t tree /dev/null
    expect(gitObjectId('blob', utf8('hello\n'))).toBe('ce013625030ba8dba906f756967f9e9ca394464a');
    expect(gitObjectId('tree', new Uint8Array(0))).toBe('4b825dc642cb6eb9a060e54bf8d69288fbee4904');
  });

  test('what was encoded is decoded, in order', () => {
    fc.assert(
      fc.property(objects, (list) => {
        expect([...decodeBundle(encodeBundle(list), 'bundle').values()]).toEqual(list);
      }),
    );
  });

  test('the layout is the documented one', () => {
    const body = encodeBundle([object('blob', utf8('hello\n'))]);
    expect(Buffer.from(body).toString('hex')).toBe(
      `03${'ce013625030ba8dba906f756967f9e9ca394464a'}06000000${Buffer.from('hello\n').toString('hex')}`,
    );
  });

  test('no changed byte of a bundle passes', () => {
    const body = encodeBundle([object('blob', utf8('hello\n')), object('tree', new Uint8Array(0))]);
    for (let offset = 0; offset < body.byteLength; offset += 1) {
      for (const bit of [1, 128]) {
        const damaged = body.slice();
        damaged[offset] = (damaged[offset] ?? 0) ^ bit;
        expect(() => decodeBundle(damaged, 'bundle')).toThrow(expect.objectContaining({ code: 'value-invalid' }));
      }
    }
  });

  test('cut-off bundles and stray bytes are refused', () => {
    const body = encodeBundle([object('blob', utf8('hello\n'))]);
    for (let length = 1; length < body.byteLength; length += 1) {
      expect(() => decodeBundle(body.subarray(0, length), 'bundle')).toThrow(/bundle/);
    }
    expect(() => decodeBundle(concatBytes([body, new Uint8Array(3)]), 'bundle')).toThrow(/3 stray bytes/);
  });

  test('an object may not occur twice', () => {
    const body = encodeBundle([object('blob', utf8('hello\n'))]);
    expect(() => decodeBundle(concatBytes([body, body]), 'bundle')).toThrow(/occurs twice/);
  });

  test('a length over what remains is refused before anything is made of it', () => {
    const body = encodeBundle([object('blob', utf8('hello\n'))]);
    body.set([255, 255, 255, 255], 21);
    expect(() => decodeBundle(body, 'bundle')).toThrow(/claims 4294967295 bytes, 6 remain/);
  });
});
