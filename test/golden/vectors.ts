/**
 * Vectors of format 1: fixed inputs and the bytes, ids and cuts that they make. `vectors.json` holds them for every other
 * implementation; a test computes them again. Nothing here depends on the version of a compressor: all content is noise.
 */

import { createHash } from 'node:crypto';
import { memoryBackend } from '../../packages/core/src/backend/memory.ts';
import { contentCutter } from '../../packages/core/src/chunker/content-cutter.ts';
import { gearScanner, gearTable } from '../../packages/core/src/chunker/gear.ts';
import { layoutCutter } from '../../packages/core/src/chunker/layout-cutter.ts';
import type { Piece, PieceCutter } from '../../packages/core/src/chunker/piece.ts';
import { createGrant, encodeGrant } from '../../packages/core/src/crypto/grant.ts';
import { sha256Hex, type Random } from '../../packages/core/src/crypto/hash.ts';
import { ed25519Public, x25519Public } from '../../packages/core/src/crypto/key-pair.ts';
import { deriveKeyset, type Keys } from '../../packages/core/src/crypto/keyset.ts';
import { sealDocument } from '../../packages/core/src/crypto/sealed-document.ts';
import { keyFileText, recoveryKeyText } from '../../packages/core/src/crypto/secret-text.ts';
import { createSlot, encodeSlot, type Secret } from '../../packages/core/src/crypto/slot.ts';
import { padmeLength, toHex, utf8 } from '../../packages/core/src/format/bytes.ts';
import { canonicalText, type JsonValue } from '../../packages/core/src/format/canonical-json.ts';
import { encodeBundle, gitObjectId } from '../../packages/core/src/format/catalogue-bundle.ts';
import type { Chunk } from '../../packages/core/src/format/chunk-list.ts';
import { asActorId, asBlobId, asKeysetId, asRepositoryId, type BlobId } from '../../packages/core/src/format/ids.ts';
import { encodeLayout, type Layout } from '../../packages/core/src/format/layout-record.ts';
import { encodeLinks } from '../../packages/core/src/format/links-record.ts';
import { logKey, noPrevious } from '../../packages/core/src/format/log-entry.ts';
import { encodeLogState } from '../../packages/core/src/format/log-state.ts';
import { encodeRepositoryFile } from '../../packages/core/src/format/repository-file.ts';
import type { TreeEntry } from '../../packages/core/src/format/tree.ts';
import { sealEntry } from '../../packages/core/src/log/sealed-entry.ts';
import { blobWriter } from '../../packages/core/src/pack/blob-writer.ts';
import { indexSet } from '../../packages/core/src/pack/index-set.ts';
import { chunkListBuilder } from '../../packages/core/src/snapshot/chunk-list-builder.ts';
import { treeBuilder } from '../../packages/core/src/snapshot/tree-builder.ts';
import { auditPin, sampleEntries, sampleOperations, sampleState } from './samples.ts';

const repository = asRepositoryId('000102030405060708090a0b0c0d0e0f');
const root = seeded('root')(32);
const shared = { ...deriveKeyset(root, { id: asKeysetId('101112131415161718191a1b1c1d1e1f'), scope: 'shared', generation: 1 }), root };
const actorSeed = seeded('actor')(32);
const actor = { id: asActorId(toHex(ed25519Public(actorSeed))), seed: actorSeed };
export const vectorKeys: Keys = { repository, actor, keysets: new Map([[shared.id, shared]]), shared };

/** `length` bytes of SHA-256(`<seed> <counter>`), counter from 1. */
export function seeded(seed: string): Random {
  let counter = 0;
  return (length) => {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, () => createHash('sha256').update(`${seed} ${(counter += 1)}`).digest());
    return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
  };
}

/** All vectors, as JSON holds them. */
export async function goldenVectors(): Promise<object> {
  return {
    about: 'Vectors of the mbk repository format 1 (docs/format.md). Bytes are hex. Seeded bytes: SHA-256("<seed> <counter>"), counter from 1, one block after the other; each draw begins with a new block.',
    canonicalJson: canonicalVectors(),
    padme: [0, 1, 9, 100, 4096, 4097, 1_000_003, 33_554_433].map((length) => [length, padmeLength(length)]),
    repositoryFile: text(encodeRepositoryFile(repository)),
    keyset: keysetVector(),
    slots: await slotVectors(),
    grant: grantVector(),
    gear: { chunkerKey: toHex(seeded('chunker')(32)), table: gearText() },
    contentCuts: contentVectors(),
    layoutCuts: layoutVector(),
    trees: await treeVectors(),
    chunkLists: await chunkListVectors(),
    links: text(encodeLinks([['a', 'b/\xff'], ['c', 'd', 'e']]).bytes),
    logEntry: logEntryVector(),
    state: text(encodeLogState(sampleState)),
    document: documentVector(),
    packs: await packVectors(),
  };
}

function canonicalVectors(): { value: JsonValue; canonical: string }[] {
  const values: JsonValue[] = [
    { b: 1, a: [true, false, null], '\u20ac': '\u20ac', '\r': 'control', '\ud83d\ude00': 1, '\ufb33': 2 },
    { n: [0, -1, Number.MAX_SAFE_INTEGER], s: '"\\/\b\f\n\r\t\u0001\u007f\u2028' },
  ];
  return values.map((value) => ({ value, canonical: canonicalText(value) }));
}

function keysetVector(): object {
  const { id, data, meta, audit, index, catalogue, log, chunker } = shared;
  const pairs = Object.entries({ data, meta, audit }).flatMap(([label, pair]) => [
    [label, pair?.privateKey],
    [`${label} public`, pair?.publicKey],
  ]) as [string, Uint8Array | undefined][];
  const subkeys = [...Object.entries({ index, catalogue, log, chunker }), ...pairs].map(([label, key]) => [label, key && toHex(key)]);
  return { root: toHex(root), id, subkeys: Object.fromEntries(subkeys) as object };
}

async function slotVectors(): Promise<object[]> {
  const key = seeded('slot key')(32);
  const secrets: Secret[] = [
    { kind: 'passphrase', passphrase: 'Grüße \u0041\u030a' },
    { kind: 'key-file', key },
    { kind: 'recovery', key },
  ];
  return Promise.all(
    secrets.map(async (secret) => {
      const { slot, keys } = await createSlot(secret, { repository, random: seeded(`slot ${secret.kind}`) });
      const written = { passphrase: () => (secret.kind === 'passphrase' ? secret.passphrase : ''), 'key-file': () => keyFileText(key), recovery: () => recoveryKeyText(key) }[secret.kind]();
      return { secret: written, agreement: toHex(keys.agreement), signing: toHex(keys.signing), slot: text(encodeSlot(slot)) };
    }),
  );
}

function grantVector(): object {
  const recipient = seeded('recipient')(32);
  const grant = createGrant([shared], { repository, recipient: x25519Public(recipient), signer: actor, random: seeded('grant') });
  return { recipientPrivate: toHex(recipient), grant: text(encodeGrant(grant)) };
}

function gearText(): string {
  const words = gearTable(seeded('chunker')(32));
  const bytes = Buffer.alloc(words.length * 4);
  words.forEach((word, index) => bytes.writeInt32LE(word, index * 4));
  return bytes.toString('hex');
}

/** Spans of seeded bytes and, where negative, of zeros. */
function contentVectors(): object[] {
  const gear = gearTable(seeded('chunker')(32));
  const files = [[6_000_000], [524_288], [70_000, -200_000, 1_500_000, -65_536, 10], [-300_000], [9_000_000]];
  return files.map((spans, number) => {
    const random = number === 4 ? (length: number): Uint8Array => new Uint8Array(length).fill(1) : seeded(`content ${number}`);
    const file = Buffer.concat(spans.map((span) => (span < 0 ? Buffer.alloc(-span) : random(span))));
    return { seed: number === 4 ? 'every byte 01' : `content ${number}`, spans, sha256: sha256Hex(file), pieces: cut(contentCutter(gearScanner(gear)), file) };
  });
}

const layout: Layout = {
  container: 'gguf',
  tensors: [
    { name: 'small', dtype: 'F32', shape: [100], offset: 4096, length: 400, unit: 4 },
    { name: 'large', dtype: 'Q4_K', shape: [65_536, 256], offset: 8192, length: 9_437_184, unit: 144, byteOrder: 'big' },
    { name: 'edge', dtype: 'F16', shape: [32_768], offset: 9_445_376, length: 65_536, unit: 2 },
    { name: 'empty', dtype: 'F32', shape: [0], offset: 9_510_912, length: 0, unit: 4 },
  ],
};

function layoutVector(): object {
  const file = Buffer.concat([seeded('layout')(9_510_912), Buffer.alloc(1), seeded('tail')(5_000_000)]);
  return { seeds: [['layout', 9_510_912], ['zero', 1], ['tail', 5_000_000]], layout: text(encodeLayout(layout) ?? new Uint8Array(0)), pieces: cut(layoutCutter(layout), file) };
}

async function treeVectors(): Promise<object> {
  const small = blobs();
  const builder = treeBuilder(small.store);
  for (const entry of sampleEntries) await builder.add(entry);
  const many = blobs();
  const large = treeBuilder(many.store);
  const names = Array.from({ length: 5000 }, (_, index) => `file-${index.toString().padStart(5, '0')}`);
  for (const name of names) await large.add({ type: 'symlink', name, mode: 0o777, mtime: [0, 0], owner: [0, 0], target: 'x' } satisfies TreeEntry);
  const empty = blobs();
  return {
    empty: { id: await treeBuilder(empty.store).finish(), blobs: empty.texts() },
    small: { id: await builder.finish(), blobs: small.texts() },
    large: { entries: '5,000 symbolic links file-00000 to file-04999 to x, mode 0o777, time and owner 0', id: await large.finish(), sizes: many.sizes() },
  };
}

async function chunkListVectors(): Promise<object> {
  const id = (number: number): BlobId => asBlobId(sha256Hex(utf8(`chunk ${number}`)));
  const lists: Record<string, Chunk[]> = {
    small: [{ kind: 'slice', id: id(0), offset: 0, length: 100 }, { kind: 'blob', id: id(1), length: 65_536 }, { kind: 'zero', length: 131_072 }, { kind: 'slice', id: id(0), offset: 100, length: 7 }],
    large: Array.from({ length: 3000 }, (_, index) => ({ kind: 'blob', id: id(index), length: index + 1 })),
  };
  const built = await Promise.all(
    Object.entries(lists).map(async ([name, chunks]) => {
      const kept = blobs();
      const builder = chunkListBuilder(kept.store);
      for (const chunk of chunks) await builder.add(chunk);
      const { id: made, bytes } = await builder.finish();
      return [name, { id: made, bytes, ...(name === 'small' ? { blobs: kept.texts() } : { chunks: '3,000 whole blobs SHA-256("chunk <i>") of i + 1 bytes, i from 0', sizes: kept.sizes() }) }] as const;
    }),
  );
  return Object.fromEntries(built) as object;
}

function logEntryVector(): object {
  const draft = { n: 1, previous: noPrevious, at: Date.UTC(2025, 0, 31), tool: 'mbk vectors', audit: [auditPin], ops: sampleOperations, sections: [{ keyset: shared.id, ops: [{ op: 'clock', at: 1 } as const] }] };
  return { key: logKey(repository, 1), bytes: toHex(sealEntry(draft, vectorKeys, seeded('log entry'))) };
}

function documentVector(): object {
  const objects = (['commit', 'tree', 'blob', 'tag'] as const).map((type) => {
    const content = seeded(`git ${type}`)(150);
    return { id: gitObjectId(type, content), type, content };
  });
  const body = encodeBundle(objects);
  const { catalogue } = shared;
  if (catalogue === undefined) throw new Error('expected a catalogue key');
  return { body: toHex(body), bytes: toHex(sealDocument({ magic: 'mbkC', repository, keyset: shared.id, subkey: catalogue, body, random: seeded('document') })) };
}

/** A data pack, a meta pack and the index segment of both, all frames raw. */
async function packVectors(): Promise<object> {
  const backend = memoryBackend({ now: () => 0 });
  const index = indexSet({ backend, keys: vectorKeys, cache: undefined });
  const writer = blobWriter({ backend, keys: vectorKeys, random: seeded('packs'), index, isUsable: () => true, openPacks: 1 });
  const content = seeded('pack content');
  await writer.store('data', content(300), { lifetime: 'permanent' });
  await writer.store('data', content(5), { lifetime: 'permanent' });
  for (const [number, type] of (['tree', 'chunks', 'layout', 'table', 'links'] as const).entries()) await writer.store(type, content(40 + number), { lifetime: 'short' });
  await writer.flush();
  await writer.takeSegment();
  const entries: Record<string, string> = {};
  for await (const { key } of backend.list('')) entries[key] = toHex(await backend.get(key));
  return { actorSeed: toHex(actorSeed), content: 'seeded "pack content": draws of 300 and 5 bytes are data; 40 to 44 are tree, chunk list, layout, table, links', entries };
}

function cut(cutter: PieceCutter, file: Uint8Array): [Piece['kind'], number][] {
  const pieces: Piece[] = [];
  for (let at = 0; at < file.length; at += 1_000_000) pieces.push(...cutter.push(file.subarray(at, at + 1_000_000)));
  return [...pieces, ...cutter.end()].map(({ kind, length }) => [kind, length]);
}

/** Keeps blobs in the order in which they were stored. */
function blobs(): { store: (type: string, bytes: Uint8Array) => Promise<{ id: BlobId }>; texts: () => string[]; sizes: () => number[] } {
  const kept: Uint8Array[] = [];
  return {
    store: async (_, bytes) => {
      kept.push(bytes.slice());
      return { id: asBlobId(sha256Hex(bytes)) };
    },
    texts: () => kept.map(text),
    sizes: () => kept.map((bytes) => bytes.length),
  };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
