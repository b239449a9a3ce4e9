/**
 * A snapshot in a repository whose index has 10 million blobs: real sealed segments of made-up rows, among them the blobs
 * of half of the files. So each file is looked up somewhere in all of it; half of them are known and half are stored.
 */

import { localBackend, openRepository, type Repository } from '@mbk/core';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender, Site } from '../contenders/contender.ts';
import { randomSource } from '../corpus/random-source.ts';
import { folderFacts } from '../folder-facts.ts';
import type { Row, RowSteps } from '../run-rows.ts';
import { blobBytes, largeBlobs, rowOf, syntheticSegment } from '../synthetic-segment.ts';
import type { ScalePlace, ScaleStep } from './steps.ts';

const fullSegments = 20;
const fullFiles = 50_000;
const filesPerFolder = 500;
const stream = 31;

/** At a share of the segments and of the files. */
export function indexStep(scale: number): ScaleStep {
  const segments = Math.max(1, Math.round(fullSegments * scale));
  const files = Math.max(2, Math.round(fullFiles * scale));
  const blobs = (segments * largeBlobs).toLocaleString('en-US');
  const title = `a snapshot in a repository of ${blobs} blobs`;
  let known: readonly Uint8Array[] = [];
  const row: Row<ScalePlace> = {
    id: 'index-10m',
    title,
    conditions: `empty cache; ${segments} segments; half of the files are known and half are not`,
    repeats: 1,
    canRun: ({ name }) => name === 'mbk',
    measureSource: ({ source }) => folderFacts(source),
    prepare: (place, contender) => prepareIndex(place, contender, { segments, known }),
  };
  return {
    id: row.id,
    title,
    // The repository, its cache, and both put aside.
    contenderBytes: 3 * segments * largeBlobs * 70 + files * 3 * blobBytes,
    sourceBytes: files * blobBytes,
    rows: [row],
    makeSource(folder, seed) {
      known = writeFiles(folder, files, seed);
    },
  };
}

/** Files of one blob each; the ids of every second one. */
function writeFiles(folder: string, files: number, seed: number): readonly Uint8Array[] {
  const known: Uint8Array[] = [];
  const bytes = Buffer.alloc(blobBytes);
  for (let number = 0; number < files; number += 1) {
    const place = join(folder, String(Math.floor(number / filesPerFolder)).padStart(4, '0'));
    if (number % filesPerFolder === 0) mkdirSync(place, { recursive: true });
    randomSource(seed, stream, number).fillBytes(bytes);
    writeFileSync(join(place, `sample_${number}.bin`), bytes);
    if (number % 2 === 0) known.push(createHash('sha256').update(bytes).digest());
  }
  return known;
}

async function prepareIndex(
  { lab, source }: ScalePlace,
  contender: Contender,
  { known, segments }: { readonly segments: number; readonly known: readonly Uint8Array[] },
): Promise<RowSteps> {
  const site = await lab.freshSite(contender, 'index');
  await addSegments(site, segments, known);
  lab.saveSite(site);
  const backup = { series: 'scale', label: 'scale-1', source };
  const before = folderFacts(site.repository).bytes;
  return {
    before: () => lab.recallSite(site),
    command: () => contender.backup(site, backup),
    after() {
      const stored = folderFacts(site.repository).bytes - before;
      // What is known is not stored, what is not known is, and noise cannot be made smaller.
      const least = known.length * blobBytes;
      if (stored < least || stored > 1.5 * least)
        throw new Error(`expected half of the files to be stored, about ${least} bytes, got ${stored}`);
      return stored;
    },
    end: () => lab.removeSite(site),
  };
}

/** Puts the segments and names them in the log, as this repository's owner. */
async function addSegments(site: Site, segments: number, known: readonly Uint8Array[]): Promise<void> {
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
  const repository = await openRepository({
    backend: localBackend(site.repository),
    secret: { kind: 'passphrase', passphrase: site.passphrase },
    cacheFolder: undefined,
    stateFolder: join(site.folder, 'state'),
    now: Date.now,
    random,
    tool: 'mbk bench',
  });
  try {
    for (let segment = 0; segment < segments; segment += 1)
      await addSegment(
        repository,
        segment,
        known.filter((_, number) => number % segments === segment),
      );
  } finally {
    await repository.close();
  }
}

async function addSegment(
  { backend, keys, log, random }: Repository,
  segment: number,
  known: readonly Uint8Array[],
): Promise<void> {
  const given = new Map<number, Uint8Array>();
  for (const id of known) {
    const row = rowOf(id, largeBlobs);
    if (row !== undefined) given.set(row, id);
  }
  const { info, key, parts } = syntheticSegment(segment, { blobs: largeBlobs, keys, random, given });
  await backend.put(key, parts);
  const { blobs, bytes, id } = info;
  await log.append(() => ({ ops: [{ op: 'index', add: [{ id, blobs, bytes }], drop: [] }] }));
}
