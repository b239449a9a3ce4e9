/**
 * Writing a Git pack with its index, object by object (gitformat-pack: pack and index version 2).
 *
 * Objects are stored whole, without deltas. Of each only id, place and checksum stay in memory, so the history may be
 * of any length. Git sees the pack only when `finish` has brought all of it to the disk.
 */
import { createHash, type Hash } from 'node:crypto';
import { mkdtemp, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { concatBytes, fromHex, toHex, utf8, viewOf } from '../format/bytes.ts';
import type { GitObject, GitObjectType } from '../format/catalogue-bundle.ts';
import type { GitObjectId } from '../format/ids.ts';
import { syncFolder } from './write-file-durably.ts';

export interface GitPackWriter {
  /** Adds an object, unless this pack has it already. */
  add(object: GitObject): Promise<void>;
  /** Completes the pack; gives the number of its objects. Without any, nothing stays behind. */
  finish(): Promise<number>;
  /** Removes what was written. */
  abandon(): Promise<void>;
}

interface Row {
  readonly id: GitObjectId;
  readonly offset: number;
  readonly crc: number;
}

const typeNumbers: Readonly<Record<GitObjectType, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 };
const packHeaderBytes = 12;
const temporaryPrefix = 'tmp_mbk_';
const dayMs = 86_400_000;
/** Small objects are gathered into writes of this size. */
const writeBytes = 1_048_576;

/** A new pack in `folder` (a repository's `objects/pack`), which exists. */
export async function gitPackWriter(folder: string): Promise<GitPackWriter> {
  const temporary = await mkdtemp(join(folder, temporaryPrefix));
  await sweepTemporaries(folder, temporary);
  const file = await open(join(temporary, 'pack'), 'wx+', 0o444);
  const rows = new Map<GitObjectId, Row>();
  let offset = packHeaderBytes;
  let waiting: Uint8Array[] = [packHeader(0)];
  let waitingBytes = packHeaderBytes;

  const flush = async (): Promise<void> => {
    await file.writeFile(concatBytes(waiting));
    waiting = [];
    waitingBytes = 0;
  };
  const abandon = async (): Promise<void> => {
    await file.close();
    await rm(temporary, { recursive: true, force: true });
  };

  return {
    abandon,
    async add({ id, type, content }) {
      if (rows.has(id)) return;
      const bytes = concatBytes([entryHeader(type, content.byteLength), deflateSync(content)]);
      rows.set(id, { id, offset, crc: crc32(bytes) });
      offset += bytes.byteLength;
      waiting.push(bytes);
      waitingBytes += bytes.byteLength;
      if (waitingBytes >= writeBytes) await flush();
    },
    async finish() {
      if (rows.size === 0) {
        await abandon();
        return 0;
      }
      await flush();
      // The number of objects stands before them and under the checksum, and is known only now.
      await file.write(packHeader(rows.size), 0, packHeaderBytes, 0);
      const checksum = await hashFile(file, offset);
      await file.writeFile(checksum);
      await file.sync();
      await file.close();
      await install(folder, temporary, { rows: [...rows.values()], checksum });
      await rm(temporary, { recursive: true });
      return rows.size;
    },
  };
}

async function install(
  folder: string,
  temporary: string,
  { rows, checksum }: { readonly rows: readonly Row[]; readonly checksum: Uint8Array },
): Promise<void> {
  const name = join(folder, `pack-${toHex(checksum)}`);
  const index = await open(join(temporary, 'index'), 'wx', 0o444);
  await index.writeFile(encodePackIndex(rows, checksum));
  await index.sync();
  await index.close();
  // Git opens a pack by its index, which therefore comes last.
  await rename(join(temporary, 'pack'), `${name}.pack`);
  await rename(join(temporary, 'index'), `${name}.idx`);
  await syncFolder(folder);
}

/** Removes what exports that were killed left behind: folders like `own` that are a day older, by the disk's clock. */
async function sweepTemporaries(folder: string, own: string): Promise<void> {
  const { mtimeMs } = await stat(own);
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith(temporaryPrefix)) continue;
    const path = join(folder, entry);
    if ((await stat(path)).mtimeMs < mtimeMs - dayMs) await rm(path, { recursive: true, force: true });
  }
}

function packHeader(objects: number): Uint8Array {
  const header = new Uint8Array(packHeaderBytes);
  const view = viewOf(header);
  header.set(utf8('PACK'));
  view.setUint32(4, 2);
  view.setUint32(8, objects);
  return header;
}

/** Type and length: 4 bits of the length in the first byte, then 7 bits a byte, lowest first. */
function entryHeader(type: GitObjectType, length: number): Uint8Array {
  const bytes: number[] = [];
  let byte = (typeNumbers[type] << 4) | (length & 15);
  for (let rest = Math.floor(length / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(byte | 128);
    byte = rest & 127;
  }
  return Uint8Array.of(...bytes, byte);
}

async function hashFile(file: FileHandle, length: number): Promise<Uint8Array> {
  const hasher: Hash = createHash('sha1');
  const buffer = new Uint8Array(writeBytes);
  for (let position = 0; position < length;) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.byteLength, length - position), position);
    if (bytesRead === 0) throw new RangeError(`expected a pack of ${length} bytes, got ${position}`);
    hasher.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  return new Uint8Array(hasher.digest());
}

/*
 * All numbers big-endian; N objects, sorted by id:
 *   8        magic ff 74 4f 63, version 2
 *   256 · 4  how many ids begin with at most this byte
 *   N · 20   ids
 *   N · 4    CRC-32 of each packed object
 *   N · 4    offsets; with the highest bit set, a place in the next table
 *   M · 8    offsets of 2^31 and more
 *   20 + 20  checksums of the pack and of all the bytes before
 */
function encodePackIndex(rows: readonly Row[], packChecksum: Uint8Array): Uint8Array {
  const sorted = rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const far = sorted.filter(({ offset }) => offset >= 2 ** 31);
  const tables = 8 + 1024;
  const bytes = new Uint8Array(tables + sorted.length * 28 + far.length * 8 + 20);
  const view = viewOf(bytes);
  view.setUint32(0, 0xff744f63);
  view.setUint32(4, 2);
  const counts = new Uint32Array(256);
  sorted.forEach(({ id, offset, crc }, index) => {
    const first = Number.parseInt(id.slice(0, 2), 16);
    counts[first] = (counts[first] ?? 0) + 1;
    bytes.set(fromHex(id), tables + index * 20);
    view.setUint32(tables + sorted.length * 20 + index * 4, crc);
    view.setUint32(tables + sorted.length * 24 + index * 4, offset < 2 ** 31 ? offset : 2 ** 31);
  });
  far.forEach(({ id, offset }, place) => {
    const index = sorted.findIndex((row) => row.id === id);
    view.setUint32(tables + sorted.length * 24 + index * 4, 2 ** 31 + place);
    view.setBigUint64(tables + sorted.length * 28 + place * 8, BigInt(offset));
  });
  let total = 0;
  counts.forEach((count, first) => {
    total += count;
    view.setUint32(8 + first * 4, total);
  });
  bytes.set(packChecksum, bytes.byteLength - 20);
  return concatBytes([bytes, new Uint8Array(createHash('sha1').update(bytes).digest())]);
}
