/** WebDataset: a tar file whose members come in samples, `key.extension`, one after the other. */

import type { Finding } from '@mbk/plugin-sdk';
import { hashRecord } from '../records/record-hash.ts';
import { seenRecords } from '../records/seen-records.ts';
import { shown } from '../records/utf8.ts';
import { recordScan, type ScanContext, type Scanner } from './record-scan.ts';
import { readTarHeader, type TarHeader } from './tar-header.ts';

const block = 512;
/** Bytes of a name or of extended headers that are kept. */
const longestHeader = 1_048_576;
const mostExtensions = 1000;

export function scanWebDataset(context: ScanContext): Scanner {
  const scan = recordScan({ ...context, options: { ...context.options, duplicates: 'off' } }, 'webdataset');
  const names = seenRecords(500_000);
  const keys = seenRecords(500_000);
  const extensions = new Map<string, number>();
  const header = new Uint8Array(block);
  let filled = 0;
  let position = 0;
  /** Bytes of the member's data, then of its padding, that are still to come. */
  let data = 0;
  let padding = 0;
  /** Data of a header for the next member. */
  let extended: { readonly type: string; readonly bytes: Uint8Array; filled: number } | undefined;
  let longName: string | undefined;
  let longSize: number | undefined;
  let members = 0;
  let bytesOfMembers = 0;
  let zeros = 0;
  let isOver = false;
  let isBroken = false;
  let hasTail = false;
  let sample: { readonly key: string; readonly has: Set<string>; readonly offset: number } | undefined;
  /** How many samples have which set of extensions: the sets joined, with the first sample of each. */
  const sets = new Map<string, { count: number; readonly key: string; readonly offset: number }>();
  let moreSets = 0;

  const endSample = (): void => {
    if (sample === undefined) return;
    const { has, key, offset } = sample;
    scan.record(noBytes, { line: 0, offset });
    const set = [...has].toSorted().join(' ');
    const found = sets.get(set);
    if (found !== undefined) found.count += 1;
    else if (sets.size < mostExtensions) sets.set(set, { count: 1, key, offset });
    else moreSets += 1;
    for (const extension of has) {
      if (extensions.has(extension) || extensions.size < mostExtensions) {
        extensions.set(extension, (extensions.get(extension) ?? 0) + 1);
      }
    }
    sample = undefined;
  };
  const member = (name: string, offset: number): void => {
    members += 1;
    const place = { offset };
    if (isUnsafePath(name)) scan.add('dataset/unsafe-path', `member ${shown(name)} leads out of its folder`, place);
    const bytes = new TextEncoder().encode(name);
    if (names.add(hashRecord(bytes))) {
      scan.add('dataset/duplicate-member', `member ${shown(name)} stands twice`, place);
    }
    const { extension, key } = sampleOf(name);
    if (extension === undefined) {
      endSample();
      return;
    }
    if (sample?.key !== key) {
      endSample();
      if (keys.add(hashRecord(new TextEncoder().encode(key)))) {
        scan.add('dataset/sample-scattered', `sample ${shown(key)} goes on after others began`, place);
      }
      sample = { key, has: new Set(), offset };
    }
    if (sample.has.size < 100) sample.has.add(extension);
  };
  const takeHeader = (at: number): void => {
    if (header.every((byte) => byte === 0)) {
      zeros += 1;
      if (zeros === 2) isOver = true;
      return;
    }
    if (zeros > 0) hasTail = true;
    zeros = 0;
    const read: TarHeader | string = readTarHeader(header);
    if (typeof read === 'string') {
      isBroken = true;
      scan.add('dataset/tar-header', `the tar header at ${at} is none: ${read}`, { offset: at });
      return;
    }
    const { name, type } = read;
    const isExtension = 'xgLK'.includes(type);
    const size = isExtension ? read.size : (longSize ?? read.size);
    data = size;
    padding = (block - (size % block)) % block;
    if (isExtension) {
      if (size <= longestHeader) extended = { type, bytes: new Uint8Array(size), filled: 0 };
      else scan.add('dataset/tar-header', `the extended header at ${at} is larger than 1 MiB`, { offset: at });
      if (size === 0) takeExtended();
      return;
    }
    if (type === '0' || type === '7') {
      bytesOfMembers += size;
      member(longName ?? name, at);
    }
    longName = undefined;
    longSize = undefined;
  };
  const takeExtended = (): void => {
    if (extended === undefined) return;
    const { bytes, type } = extended;
    extended = undefined;
    if (type === 'L') longName = cutAtNul(bytes);
    if (type === 'x') {
      const { path, size } = paxRecords(bytes);
      longName = path ?? longName;
      longSize = size ?? longSize;
    }
  };
  return {
    push(piece) {
      let at = 0;
      while (at < piece.length && !isBroken) {
        const left = piece.length - at;
        if (isOver) {
          if (!hasTail && piece.subarray(at).some((byte) => byte !== 0)) {
            hasTail = true;
          }
          break;
        }
        if (data > 0) {
          const taken = Math.min(data, left);
          if (extended !== undefined) {
            extended.bytes.set(piece.subarray(at, at + taken), extended.filled);
            extended.filled += taken;
          }
          data -= taken;
          at += taken;
          if (data === 0) takeExtended();
        } else if (padding > 0) {
          const taken = Math.min(padding, left);
          padding -= taken;
          at += taken;
        } else {
          const taken = Math.min(block - filled, left);
          header.set(piece.subarray(at, at + taken), filled);
          filled += taken;
          at += taken;
          if (filled === block) {
            filled = 0;
            takeHeader(position + at - block);
          }
        }
      }
      position += piece.length;
    },
    end() {
      const isCut = data > 0 || filled > 0;
      endSample();
      if (!isBroken && position > 0) {
        if (isCut) scan.add('dataset/truncated', `the file ends within a member, ${data + (block - filled) % block} bytes too early`, { offset: position });
        else if (!isOver) scan.add('dataset/tar-end', 'the two closing blocks are missing', { offset: position });
        else if (hasTail) scan.add('dataset/tar-end', 'something follows the closing blocks');
      }
      const usual = [...extensions].filter(([, count]) => count >= 0.9 * scan.records).map(([name]) => name);
      if (scan.records >= 10) {
        for (const [set, { count, key, offset }] of sets) {
          const has = new Set(set.split(' '));
          const missing = usual.filter((name) => !has.has(name)).map((name) => shown(name, 40));
          if (missing.length === 0) continue;
          const message = `sample ${shown(key)} has no ${missing.slice(0, 10).join(', ')}`;
          scan.add('dataset/sample-incomplete', message, { offset, count });
        }
      }
      const kinds = [...extensions].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 50);
      return scan.end(
        position,
        {
          members,
          memberBytes: bytesOfMembers,
          extensions: kinds.map(([name, count]) => ({ name: shown(name, 60), count })),
          ...(moreSets > 0 ? { moreKindsOfSamples: moreSets } : {}),
        },
        'sample',
      );
    },
  } satisfies Scanner & { end(): { findings: readonly Finding[] } };
}

const noBytes = new Uint8Array(0);

/** Key and extension of a member: at the first dot of its last name; no extension, no sample. */
function sampleOf(name: string): { readonly key: string; readonly extension?: string } {
  const slash = name.lastIndexOf('/');
  const dot = name.indexOf('.', slash + 1);
  // A name that begins with a dot is hidden, and no sample.
  if (dot <= slash + 1) return { key: name };
  return { key: name.slice(0, dot), extension: name.slice(dot + 1).toLowerCase() };
}

/** Whether a path is absolute or leads up and out. */
export function isUnsafePath(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path) || path.split(/[\\/]/).includes('..');
}

function cutAtNul(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  return new TextDecoder().decode(nul < 0 ? bytes : bytes.subarray(0, nul));
}

/** `path` and `size` of pax records: `length key=value\n`. What is none ends the reading. */
function paxRecords(bytes: Uint8Array): { readonly path?: string; readonly size?: number } {
  let found: { path?: string; size?: number } = {};
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    if (space < 0 || space - at > 10) break;
    const length = Number(new TextDecoder().decode(bytes.subarray(at, space)));
    if (!Number.isSafeInteger(length) || length <= space - at + 1 || at + length > bytes.length) break;
    const text = new TextDecoder().decode(bytes.subarray(space + 1, at + length - 1));
    if (text.startsWith('path=')) found = { ...found, path: text.slice(5) };
    const size = Number(text.startsWith('size=') ? text.slice(5) : Number.NaN);
    if (Number.isSafeInteger(size) && size >= 0) found = { ...found, size };
    at += length;
  }
  return found;
}
