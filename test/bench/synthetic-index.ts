/**
 * What an index of 10 million blobs costs: real sealed segments of made-up rows in a local backend, then, each in a
 * process of its own, the first opening, another one, lookups, and a merge.
 *
 * `node --conditions=@mbk/source test/bench/synthetic-index.ts [--blobs N] [--folder F] [--json]`. It needs about
 * 1.2 GB in the folder, which it removes.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { localBackend } from '@mbk/core';
import type { Keys } from '../../packages/core/src/crypto/keyset.ts';
import { toHex, viewOf } from '../../packages/core/src/format/bytes.ts';
import { asBlobId, asPackId, type BlobId } from '../../packages/core/src/format/ids.ts';
import { filterBlocks, rowBytes, rowsPerPage } from '../../packages/core/src/format/index-segment.ts';
import { encodeFrame, encodePackRow, encodeRecord, type PackRow } from '../../packages/core/src/format/segment-rows.ts';
import { addToFilter } from '../../packages/core/src/pack/block-filter.ts';
import { buildSegment } from '../../packages/core/src/pack/build-segment.ts';
import { chooseMerge } from '../../packages/core/src/pack/choose-merge.ts';
import { entryCache } from '../../packages/core/src/pack/entry-cache.ts';
import { indexSet, type IndexSet, type SegmentInfo } from '../../packages/core/src/pack/index-set.ts';
import { segmentWriter } from '../../packages/core/src/pack/segment-writer.ts';
import { testKeys } from '../../packages/core/test/pack/test-keys.ts';

/** Of one step, in a process of its own. */
export interface SyntheticIndexStep {
  readonly step: string;
  readonly seconds: number;
  /** Most memory that the process had, in MiB. */
  readonly peakMiB: number;
  readonly note: string;
}

const keys: Keys = testKeys();
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const steps = ['make', 'first opening', 'opening', 'known', 'unknown', 'small', 'merge'] as const;
type Step = (typeof steps)[number];

/** Blobs of a segment that is as large as a merge makes it. */
const largeBlobs = 1_000_000;
const lookups = 100_000;
const smallSegments = 13;
const smallBlobs = 20_000;
const blobsPerFrame = 16;
const framesPerPack = 2000;

/** Segment number in the upper bits, row in the lower ones: two 32-bit words that look random, the same each time. */
function mix(segment: number, row: number, word: number): number {
  let h = Math.imul(row ^ Math.imul(segment + 1, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(word + 1, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

/** Id `row` of `count` sorted ids of a segment, into `id`. */
function writeId(id: Uint8Array, segment: number, row: number, count: number): void {
  const view = viewOf(id);
  const step = 2 ** 32 / count;
  view.setUint32(0, Math.floor(row * step + (step * mix(segment, row, 0)) / 2 ** 32));
  for (let word = 1; word < 8; word += 1) view.setUint32(4 * word, mix(segment, row, word));
  // Among ids with equal first words the row decides.
  view.setUint32(4, ((row & 0xffff) << 16) | (mix(segment, row, 1) & 0xffff));
}

/** A segment of `count` made-up blobs; its parts are handed over. */
function makeSegment(segment: number, count: number): { info: SegmentInfo; key: string; parts: readonly Uint8Array[] } {
  const writer = segmentWriter({ keys, keyset: keys.shared, random });
  const frames = Math.ceil(count / blobsPerFrame);
  const packs = Math.ceil(frames / framesPerPack);
  const filter = new Uint8Array(filterBlocks(count) * rowBytes.filter);
  const perPage = rowsPerPage('records');
  const directory = new Uint8Array(Math.ceil(count / perPage) * rowBytes.directory);
  const record = new Uint8Array(rowBytes.records);
  const id = new Uint8Array(32);
  for (let row = 0; row < count; row += 1) {
    writeId(id, segment, row, count);
    const frameRow = mix(segment, row, 9) % frames;
    encodeRecord(record, 0, id, { frameRow, offset: 4096 * (row % blobsPerFrame), length: 4096, type: 'data' });
    writer.write('records', record);
    addToFilter(viewOf(filter), viewOf(id));
    if (row % perPage === 0) directory.set(id.subarray(0, 16), (row / perPage) * rowBytes.directory);
  }
  writePacks();
  const bytes = new Uint8Array(rowBytes.frames);
  for (let row = 0; row < frames; row += 1) {
    const number = row % framesPerPack;
    encodeFrame(bytes, 0, {
      packRow: Math.floor(row / framesPerPack),
      offset: 72 + 20_000 * number,
      boxLength: 20_000,
      plainLength: 65_536,
      codec: 0,
      depth: 0,
      parameterBytes: 0,
      firstParameter: 0,
      firstBase: 0,
      bases: 0,
    });
    writer.write('frames', bytes);
  }
  writer.write('filter', filter);
  writer.write('directory', directory);
  const { id: name, key, parts, byteLength } = writer.close();
  return { info: { id: name, blobs: count, bytes: byteLength, actor: keys.actor.id }, key, parts };

  function writePacks(): void {
    const bytes = new Uint8Array(rowBytes.packs);
    for (let pack = 0; pack < packs; pack += 1) {
      const id = asPackId(`${pack.toString(16).padStart(8, '0')}${segment.toString(16).padStart(56, '0')}`);
      const inPack = Math.min(framesPerPack, frames - pack * framesPerPack);
      const row: PackRow = {
        id,
        ephemeral: new Uint8Array(32),
        actor: keys.actor.id,
        keyset: keys.shared.id,
        frames: inPack,
        size: 72 + 20_000 * framesPerPack + 4096,
        kind: 'data',
        lifetime: 'long',
      };
      encodePackRow(bytes, 0, { row, firstFrame: pack * framesPerPack });
      writer.write('packs', bytes);
    }
  }
}

interface Place {
  readonly folder: string;
  readonly blobs: number;
}

const listOf = ({ folder }: Place): string => join(folder, 'segments.json');
const readList = (place: Place): SegmentInfo[] => JSON.parse(readFileSync(listOf(place), 'utf8')) as SegmentInfo[];
const backendOf = ({ folder }: Place) => localBackend(join(folder, 'repository'));

async function openIndex(place: Place): Promise<IndexSet> {
  const index = indexSet({
    backend: backendOf(place),
    keys,
    cache: entryCache(join(place.folder, 'cache'), { random }),
  });
  await index.setLive(readList(place));
  return index;
}

async function addSegments(place: Place, first: number, count: number, blobs: number): Promise<void> {
  const live = first === 0 ? [] : readList(place);
  for (let segment = first; segment < first + count; segment += 1) {
    const { info, key, parts } = makeSegment(segment, blobs);
    await backendOf(place).put(key, parts);
    live.push(info);
  }
  writeFileSync(listOf(place), JSON.stringify(live));
}

/** Ids that are there, or are not, in no order. */
function* idsOf(place: Place, areKnown: boolean): Generator<BlobId> {
  const id = new Uint8Array(32);
  const segments = Math.max(1, Math.round(place.blobs / largeBlobs));
  const count = Math.round(place.blobs / segments);
  for (let at = 0; at < lookups; at += 1) {
    writeId(id, at % segments, mix(77, at, 0) % count, count);
    if (!areKnown) id[31] = (id[31] ?? 0) ^ 1;
    if (!areKnown) viewOf(id).setUint32(0, mix(78, at, 1));
    yield asBlobId(toHex(id));
  }
}

/** Runs one step; what it says of itself. The time is of the step without what it needs to begin. */
async function runStep(step: Step, place: Place): Promise<{ seconds: number; note: string }> {
  const segments = Math.max(1, Math.round(place.blobs / largeBlobs));
  let start = performance.now();
  const done = (note: string): { seconds: number; note: string } => ({
    seconds: (performance.now() - start) / 1000,
    note,
  });
  switch (step) {
    case 'make':
      mkdirSync(join(place.folder, 'repository'), { recursive: true });
      await addSegments(place, 0, segments, Math.round(place.blobs / segments));
      return done(`${segments} segments, ${sum(readList(place)).toFixed(0)} MiB`);
    case 'first opening':
    case 'opening': {
      const index = await openIndex(place);
      return done(`${index.segments.length} segments`);
    }
    case 'known':
    case 'unknown': {
      const index = await openIndex(place);
      const ids = [...idsOf(place, step === 'known')];
      start = performance.now();
      let found = 0;
      for (const id of ids) if (index.find('data', id, () => true) !== undefined) found += 1;
      return done(
        `${found} of ${lookups} found, ${(((performance.now() - start) * 1000) / lookups).toFixed(1)} µs each`,
      );
    }
    case 'small':
      await addSegments(place, 1000, smallSegments, smallBlobs);
      return done(`${smallSegments} segments of ${smallBlobs} blobs`);
    case 'merge': {
      const index = await openIndex(place);
      const chosen = new Set(chooseMerge(readList(place)).map(({ id }) => id));
      const sources = index.segments.filter(({ id }) => chosen.has(id));
      const built = buildSegment(sources, { keys, keyset: keys.shared, random });
      await backendOf(place).put(built.key, built.parts);
      index.addSegment(built);
      return done(`${sources.length} segments to one of ${built.blobs} blobs`);
    }
  }
}

function sum(segments: readonly SegmentInfo[]): number {
  return segments.reduce((bytes, segment) => bytes + segment.bytes, 0) / 2 ** 20;
}

/** All steps, each in a process of its own. */
export async function syntheticIndex(blobs: number, parent: string): Promise<SyntheticIndexStep[]> {
  const folder = mkdtempSync(join(parent, 'mbk-index-'));
  const results: SyntheticIndexStep[] = [];
  try {
    for (const step of steps) results.push(await inProcess(step, { folder, blobs }));
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function inProcess(step: Step, place: Place): Promise<SyntheticIndexStep> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [], {
      env: { ...process.env, MBK_SYNTHETIC_STEP: JSON.stringify({ step, place }) },
      execArgv: ['--conditions=@mbk/source'],
    });
    child.once('message', (result) => resolve(result as SyntheticIndexStep));
    child.once('exit', (code) => reject(new Error(`step ${step} ended with ${code}`)));
  });
}

async function main(): Promise<void> {
  const asked = process.env['MBK_SYNTHETIC_STEP'];
  if (asked !== undefined) {
    const { step, place } = JSON.parse(asked) as { step: Step; place: Place };
    const result = await runStep(step, place);
    process.send?.({ step, ...result, peakMiB: process.resourceUsage().maxRSS / 1024 });
    return;
  }
  const { values } = parseArgs({
    options: {
      blobs: { type: 'string', default: '10000000' },
      folder: { type: 'string', default: tmpdir() },
      json: { type: 'boolean', default: false },
    },
  });
  const results = await syntheticIndex(Number(values.blobs), values.folder);
  if (values.json) console.log(JSON.stringify(results, undefined, 2));
  else
    for (const { step, seconds, peakMiB, note } of results)
      console.log(
        `${step.padEnd(14)} ${seconds.toFixed(2).padStart(8)} s ${peakMiB.toFixed(0).padStart(6)} MiB  ${note}`,
      );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
