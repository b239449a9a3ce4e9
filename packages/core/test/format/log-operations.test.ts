import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/format/bytes.ts';
import { asEntryId, asGitObjectId } from '../../src/format/ids.ts';
import { parameters } from '../../src/format/limits.ts';
import {
  decodeLogBody,
  decodeLogSection,
  encodeLogBody,
  encodeLogSection,
  type KnownOperation,
} from '../../src/format/log-operations.ts';
import { actors, advance, commit, head, hex, owner, pack, segment, tag, tool } from '../log/small-log.ts';
import { codeOf } from '../pack/test-keys.ts';

const capture = { commit: commit('a'), collection: 'models/checkpoint' };

/** One of every operation of docs/format.md. */
const examples: readonly KnownOperation[] = [
  { op: 'features', format: 1, required: [], parameters, timezone: 'Europe/Berlin' },
  { op: 'keyset', id: owner.shared.id, scope: 'shared', generation: 1 },
  { op: 'actors', set: actors, remove: [owner.actor.id] },
  { op: 'grant', grant: asEntryId(hex('grant')), actor: owner.actor.id, keysets: [owner.shared.id] },
  advance(head('lab', null, 'a'), head('clinic', 'a', 'b', 'clinic/2025-01-01')),
  tag('lab/v2'),
  { op: 'tag', domain: 'lab', name: 'lab/v2', deleted: true },
  { op: 'index', add: [segment('s')], drop: [segment('t').id] },
  { op: 'expire', captures: [capture], reason: 'policy' },
  { op: 'unexpire', captures: [capture] },
  { op: 'hold', name: 'audit 2025', captures: [capture], reason: 'lawsuit' },
  { op: 'hold', name: 'audit 2025', removed: true },
  { op: 'condemn', packs: [pack('p')], segments: [segment('s').id], bundles: [asEntryId(hex('b'))] },
  { op: 'delete', packs: [pack('p')], segments: [segment('s').id], bundles: [], spared: [pack('q')], condemned: 3 },
  { op: 'lost', packs: [pack('p')] },
  { op: 'trust', packs: [pack('p')] },
  { op: 'redact', objects: [{ object: asGitObjectId(hex('o', 40)), replacement: asGitObjectId(hex('r', 40)) }] },
  { op: 'clock', at: 1 },
  { op: 'state', id: asEntryId(hex('state')), through: 255 },
  { op: 'void', n: 3, hash: hex('void') },
];

function section(op: unknown): Uint8Array {
  return utf8(JSON.stringify({ ops: [op] }));
}

describe('operations', () => {
  test.each(examples)('$op comes back as it was written', (op) => {
    expect(decodeLogSection(encodeLogSection([op]), 'section')).toEqual([op]);
  });

  test.each(examples)('$op is refused when a field that it needs is missing, or any is of another kind', (op) => {
    for (const field of Object.keys(op).filter((name) => name !== 'op' && name !== 'reason')) {
      // Without `deleted` or `removed` the other form of the operation is expected, whose fields are missing too.
      const { [field as keyof typeof op]: _, ...missing } = op;
      if ((op.op === 'condemn' || op.op === 'delete') && field !== 'condemned')
        expect(decodeLogSection(section(missing), 'section')).toEqual([{ ...op, [field]: [] }]);
      else expect(codeOf(() => decodeLogSection(section(missing), 'section'))).toBe('value-invalid');
      for (const wrong of [{}, -1, 1.5, null]) {
        expect(codeOf(() => decodeLogSection(section({ ...op, [field]: wrong }), 'section'))).toBe('value-invalid');
      }
    }
  });

  test('fields that are not known are passed over', () => {
    const [op] = decodeLogSection(section({ op: 'clock', at: 5, later: 'x' }), 'section');
    expect(op).toEqual({ op: 'clock', at: 5 });
  });

  test('an unknown operation is refused by name, unless it is optional', () => {
    expect(() => decodeLogSection(section({ op: 'teleport' }), 'section')).toThrow(/"teleport"/);
    expect(codeOf(() => decodeLogSection(section({ op: 'teleport', optional: 'yes' }), 'section'))).toBe(
      'operation-unknown',
    );
    expect(codeOf(() => decodeLogSection(section({ op: 'constructor' }), 'section'))).toBe('operation-unknown');
    expect(decodeLogSection(section({ op: 'teleport', optional: true }), 'section')).toEqual([
      { op: 'unknown', name: 'teleport' },
    ]);
  });

  test('a tag outside its domain is refused', () => {
    expect(codeOf(() => decodeLogSection(section({ ...tag('lab/v2'), domain: 'clinic' }), 'section'))).toBe(
      'value-invalid',
    );
    const stray = advance({ ...head('lab', null, 'a', 'clinic/x') });
    expect(codeOf(() => decodeLogSection(section(stray), 'section'))).toBe('value-invalid');
  });
});

describe('decodeLogBody', () => {
  const body = { actor: owner.actor.id, at: 5, audit: [{ chain: 'aa', hash: hex('h'), n: 3 }], ops: examples, tool };

  test('gives back what was encoded', () => {
    expect(decodeLogBody(encodeLogBody(body), 'entry', () => undefined)).toEqual(body);
  });

  test('proves the actor before it reads any operation', () => {
    const bytes = utf8(JSON.stringify({ ...body, ops: [{ op: 'teleport' }] }));
    const refuse = (): never => {
      throw new Error('not signed');
    };
    expect(() => decodeLogBody(bytes, 'entry', refuse)).toThrow('not signed');
  });
});
