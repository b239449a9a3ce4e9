/** Rows for the tests of the stat cache; file `i` is the same file wherever it is asked for. */
import { sha256Hex } from '../../src/crypto/hash.ts';
import { asBlobId, asCommitId } from '../../src/format/ids.ts';
import type { SourceFacts } from '../../src/snapshot/source-facts.ts';
import type { CaptureRef, CollectionRef, ReadFile } from '../../src/snapshot/stat-cache.ts';

const noon = 1_700_000_000_000;

export function factsOf(i: number, changes: Partial<SourceFacts> = {}): SourceFacts {
  return {
    dev: 64_769,
    // Beyond 2^53, as network file systems have them.
    ino: 2 ** 60 + i * 4096,
    links: 1,
    size: 1000 + i,
    sparse: false,
    mode: 0o644,
    owner: [0, 0],
    mtime: [noon / 1000, 123_456_700],
    mtimeMs: noon + 123.4567,
    ctimeMs: noon + 125.4567,
    ...changes,
  };
}

export function readFileOf(i: number, changes: Partial<ReadFile> = {}): ReadFile {
  const content = { size: 1000 + i, sha256: asBlobId(sha256Hex(Buffer.from(`content ${i}`))) };
  return { facts: factsOf(i), content, takenMs: noon + 60_000, ...changes };
}

export function collectionRef(name: string): CollectionRef {
  return { domain: 'healthcare', collection: `models/${name}` };
}

export function captureOf(collection: CollectionRef, n: number): CaptureRef {
  return { ...collection, commit: asCommitId(String(n).padStart(40, '0')), n };
}
