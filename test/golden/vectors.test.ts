import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { memoryBackend } from '../../packages/core/src/backend/memory.ts';
import { decodeGrant, openGrant } from '../../packages/core/src/crypto/grant.ts';
import { sha256Hex } from '../../packages/core/src/crypto/hash.ts';
import { parseKeyFile, parseRecoveryKey } from '../../packages/core/src/crypto/secret-text.ts';
import { openDocument } from '../../packages/core/src/crypto/sealed-document.ts';
import { decodeSlot, unlockSlot, type Secret } from '../../packages/core/src/crypto/slot.ts';
import { fromHex, toHex, utf8 } from '../../packages/core/src/format/bytes.ts';
import { asBlobId, asSegmentId } from '../../packages/core/src/format/ids.ts';
import { decodeLogState } from '../../packages/core/src/format/log-state.ts';
import { decodeRepositoryFile } from '../../packages/core/src/format/repository-file.ts';
import { decodeTree } from '../../packages/core/src/format/tree.ts';
import { openEntry } from '../../packages/core/src/log/sealed-entry.ts';
import { blobReader } from '../../packages/core/src/pack/blob-reader.ts';
import { indexSet } from '../../packages/core/src/pack/index-set.ts';
import { packReader } from '../../packages/core/src/pack/pack-reader.ts';
import { auditPin, sampleEntries, sampleOperations, sampleState } from './samples.ts';
import { goldenVectors, seeded, vectorKeys } from './vectors.ts';

interface Vectors {
  readonly repositoryFile: string;
  readonly slots: readonly { readonly secret: string; readonly agreement: string; readonly signing: string; readonly slot: string }[];
  readonly grant: { readonly recipientPrivate: string; readonly grant: string };
  readonly keyset: { readonly root: string };
  readonly trees: { readonly small: { readonly blobs: readonly string[] } };
  readonly logEntry: { readonly bytes: string };
  readonly state: string;
  readonly document: { readonly body: string; readonly bytes: string };
  readonly packs: { readonly entries: Readonly<Record<string, string>> };
}

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'vectors.json'), 'utf8')) as Vectors;

describe('what is written now is what was recorded', () => {
  let computed: Readonly<Record<string, unknown>> = {};
  beforeAll(async () => {
    computed = { ...(await goldenVectors()) };
  });

  test('there are the same vectors', () => {
    expect(Object.keys(computed)).toEqual(Object.keys(recorded));
  });

  test.each(Object.entries(recorded))('%s', (name, value) => {
    expect(computed[name]).toEqual(value);
  });
});

describe('what was recorded is read', () => {
  const vectors = recorded;

  test('mbk.json', () => {
    expect(decodeRepositoryFile(utf8(vectors.repositoryFile), 'mbk.json')).toBe(vectorKeys.repository);
  });

  test.each(vectors.slots)('a slot by its secret', async ({ secret, slot, agreement, signing }) => {
    const opened = decodeSlot(utf8(slot), 'slot');
    const keys = await unlockSlot(opened, secretOf(opened.kind, secret));
    expect(keys && { agreement: toHex(keys.agreement), signing: toHex(keys.signing) }).toEqual({ agreement, signing });
  });

  test('a grant by the key it is sealed to', () => {
    const { grant, recipientPrivate } = vectors.grant;
    const [keyset] = openGrant(decodeGrant(utf8(grant), 'grant'), fromHex(recipientPrivate), 'grant');
    expect(keyset?.root && toHex(keyset.root)).toBe(vectors.keyset.root);
    expect(keyset).toEqual(vectorKeys.shared);
  });

  test('a log entry with every operation', () => {
    const entry = openEntry(fromHex(vectors.logEntry.bytes), 1, vectorKeys, 'entry 1');
    expect(entry.sections.map(({ ops }) => ops)).toEqual([sampleOperations, [{ op: 'clock', at: 1 }]]);
    expect(entry.audit).toEqual([auditPin]);
  });

  test('a state with every kind of row', () => {
    expect(decodeLogState(utf8(vectors.state), 'state')).toEqual(sampleState);
  });

  test('a tree with every kind of entry', () => {
    const [leaf = ''] = vectors.trees.small.blobs;
    expect(decodeTree(utf8(leaf), 'tree')).toEqual({ level: 0, entries: sampleEntries });
  });

  test('a sealed document', () => {
    const { bytes, body } = vectors.document;
    const { repository, shared } = vectorKeys;
    const opened = openDocument(fromHex(bytes), { magic: 'mbkC', repository, subkeyOf: () => shared.catalogue, what: 'bundle' });
    expect(toHex(opened.body)).toBe(body);
  });

  test('packs, through the index segment', async () => {
    const backend = memoryBackend();
    for (const [key, bytes] of Object.entries(vectors.packs.entries)) await backend.put(key, [fromHex(bytes)]);
    const index = indexSet({ backend, keys: vectorKeys, cache: undefined });
    const [segment = ''] = Object.keys(vectors.packs.entries).filter((key) => key.startsWith('index/'));
    const bytes = (vectors.packs.entries[segment] ?? '').length / 2;
    await index.setLive([{ id: asSegmentId(segment.slice('index/'.length)), blobs: 7, bytes }]);
    const reader = blobReader({ backend, index, reader: packReader({ backend, keys: vectorKeys }) });
    const content = seeded('pack content');
    for (const length of [300, 5, 40, 41, 42, 43, 44]) {
      const blob = content(length);
      const kind = length === 300 || length === 5 ? 'data' : 'meta';
      expect(await reader.readBlob(kind, asBlobId(sha256Hex(blob)))).toEqual(blob);
    }
    index.close();
  });
});

function secretOf(kind: Secret['kind'], text: string): Secret {
  if (kind === 'passphrase') return { kind, passphrase: text };
  const key = kind === 'key-file' ? parseKeyFile(text) : parseRecoveryKey(text);
  if (key === undefined) throw new Error('expected a recovery key');
  return { kind, key };
}
