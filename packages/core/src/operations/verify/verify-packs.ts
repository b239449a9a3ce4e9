/**
 * Packs: that they are stored with the right size and a sound, signed footer which says what the index says; when read whole
 * also that every byte is the one that was written (docs/format.md, Packs).
 *
 * Of files in several chunks the whole SHA-256 is not computed again: the log, the commits, trees and chunk lists above
 * are authentic and name every chunk by its SHA-256, so when all chunks are right the file is, unless the program that
 * took the snapshot recorded a wrong hash, which every checkout notices. Computing it would read all data a second
 * time, in the order of files and not of packs.
 */
import { equalBytes } from '../../format/bytes.ts';
import { type PackId, packKey } from '../../format/ids.ts';
import type { FrameRow } from '../../format/pack-footer.ts';
import type { PackRow } from '../../format/segment-rows.ts';
import { isDeleted, isLost } from '../../log/fold.ts';
import type { BlobCopy } from '../../pack/blob-copy.ts';
import type { IndexSet } from '../../pack/index-set.ts';
import { checkBlob, openFrame } from '../../pack/open-pack.ts';
import { type PackContents, packName } from '../../pack/pack-contents.ts';
import type { Segment } from '../../pack/segment.ts';
import { segmentKey } from '../../pack/segment-writer.ts';
import type { Repository } from '../../repository.ts';
import { isMbkError, type MbkError } from '../../errors.ts';
import { inOrder } from '../../pool/in-order.ts';
import { isBadContent } from '../bad-content.ts';
import type { FindingCode } from './findings.ts';
import type { PackHealth } from './pack-health.ts';
import { sizeInStorage, type Verification } from './verification.ts';
import type { BasedPack } from './based-frames.ts';
import { wholePacks, type CheckedWhole, type WholePacks } from './whole-packs.ts';
import type { Threads } from '../../pool/threads.ts';

export interface VerifyPacksOptions {
  readonly index: IndexSet;
  readonly health: PackHealth;
  /** Whether a pack is read whole; of the others only the end. */
  readonly isWhole: (pack: PackId) => boolean;
  /** Hears of every pack that was read whole, and whether all of it is right. */
  readonly onWhole?: ((pack: PackId, isSound: boolean) => void) | undefined;
  /** Whether hashes are computed by a second, independent implementation. */
  readonly independent: boolean;
  /** Threads that read data; 1 for none. */
  readonly jobs: number;
  /** Bytes from which threads are started. */
  readonly threadsFrom?: number | undefined;
  /** Threads that were started before. */
  readonly threads?: Threads | undefined;
  /** The packs to check; all that live segments name unless given. */
  readonly only: ReadonlySet<PackId> | undefined;
}

/**
 * Looks whether all packs that live segments name are stored, with the right size: one listing, no reading. One of another
 * size that is read whole is left to `verifyPacks`, which finds out what of it can be used.
 */
export async function verifyPresence(
  run: Verification,
  { index, health, isWhole }: Pick<VerifyPacksOptions, 'index' | 'health' | 'isWhole'>,
): Promise<void> {
  const { fold, found, counts } = run;
  for (const row of index.packs()) {
    if (isDeleted(fold, row.id)) {
      counts.deletedPacks += 1;
      continue;
    }
    const key = packKey(row.kind, row.id);
    if (isLost(fold, row.id)) {
      const message = `${packName(row)} was declared lost in entry ${fold.lost.get(row.id) ?? 0}; new snapshots of the same files heal it`;
      found.add({ code: 'pack-lost', severity: 'note', key, message });
      continue;
    }
    const size = await sizeInStorage(run, key);
    if (size === row.size) continue;
    if (size === undefined) await spoil(run, health, row, 'pack-absent', `${packName(row)} is not in the storage`);
    else if (!isWhole(row.id))
      await spoil(
        run,
        health,
        row,
        'pack-damaged',
        `${packName(row)} has ${size} bytes, and the index says ${row.size}`,
      );
  }
}

/** Reads packs whole, or their footers, and holds them against the index. */
export async function verifyPacks(run: Verification, options: VerifyPacksOptions): Promise<void> {
  const { index, only } = options;
  const rows = [...index.packs()].filter(
    ({ id }) => (only?.has(id) ?? true) && !isDeleted(run.fold, id) && !isLost(run.fold, id),
  );
  const seen = new Map<Segment, SeenRows>(
    index.segments.map((segment) => [segment, { records: 0, frames: 0, isPartial: only !== undefined }]),
  );
  const totalBytes = rows.reduce((sum, row) => sum + (options.isWhole(row.id) ? row.size : 0), 0);
  let done = 0;
  for await (const { check } of readEach(run, rows, options)) {
    run.progress('packs', done, rows.length, totalBytes);
    done += 1;
    if (check !== undefined) run.counts.packs += 1;
    const contents = await check?.();
    // What is absent, or of another size where bytes are not read, was told before.
    if (contents === undefined) for (const rest of seen.values()) rest.isPartial = true;
    else compareWithIndex(run, index, contents, seen);
  }
  run.progress('packs', rows.length, rows.length, totalBytes);
  for (const row of index.packs())
    if (isDeleted(run.fold, row.id) || isLost(run.fold, row.id)) markPartial(index, row, seen);
  for (const [segment, { records, frames, isPartial }] of seen) {
    if (isPartial || (records === segment.counts.records && frames === segment.counts.frames)) continue;
    const message = `index segment ${segment.id} has ${segment.counts.records} blobs in ${segment.counts.frames} frames, its packs have ${records} in ${frames}`;
    run.found.add({ code: 'index-wrong', severity: 'error', key: segmentKey(segment.id), message });
  }
}

/** Rows of a segment that were met in footers. */
interface SeenRows {
  records: number;
  frames: number;
  /** Whether packs of it were not read, so that the sums say nothing. */
  isPartial: boolean;
}

/** A footer that is damaged takes no blob away: they are found through the index. */
async function checkFooter(
  { repository, found, signal }: Verification,
  row: PackRow,
): Promise<PackContents | undefined> {
  try {
    return await repository.packs.readContents(row.kind, row.id, { signal });
  } catch (error) {
    if (!isBadContent(error)) throw error;
    found.add({ code: 'pack-damaged', severity: 'error', key: packKey(row.kind, row.id), message: error.message });
    return undefined;
  }
}

/** A pack whose turn it is; `check` tells what is wrong with it and gives what its footer says, where that can be read. */
interface PackTurn {
  /** Undefined for a pack that is not to be looked at. */
  readonly check: (() => Promise<PackContents | undefined>) | undefined;
}

async function* readEach(
  run: Verification,
  rows: readonly PackRow[],
  options: VerifyPacksOptions,
): AsyncGenerator<PackTurn> {
  const whole = rows.filter(({ id }) => options.isWhole(id));
  if (whole.length > 0) yield* readWhole(run, whole, options);
  if (whole.length < rows.length)
    yield* readEnds(
      run,
      rows.filter(({ id }) => !options.isWhole(id)),
    );
}

async function* readEnds(run: Verification, rows: readonly PackRow[]): AsyncGenerator<PackTurn> {
  for (const row of rows) {
    const size = await sizeInStorage(run, packKey(row.kind, row.id));
    yield { check: size === row.size ? () => checkFooter(run, row) : undefined };
  }
}

/**
 * Packs are read ahead of their turn, and told about in their order, but for those that are built upon others: these wait
 * for each other, to be looked into together.
 */
async function* readWhole(
  run: Verification,
  rows: readonly PackRow[],
  { index, health, independent, jobs, threadsFrom, threads, onWhole }: VerifyPacksOptions,
): AsyncGenerator<PackTurn> {
  const bytes = rows.reduce((sum, row) => sum + row.size, 0);
  const largest = rows.reduce((most, row) => Math.max(most, row.size), 0);
  const packs = wholePacks(run.repository, { independent, jobs, bytes, largest, threadsFrom, threads });
  const read = async (row: PackRow): Promise<ReadPack> => {
    const size = await sizeInStorage(run, packKey(row.kind, row.id));
    if (size === undefined) return { row, found: undefined };
    try {
      return { row, found: { size, checked: await packs.check(row, size) } };
    } catch (error) {
      if (!isBadContent(error)) throw error;
      return { row, found: { error } };
    }
  };
  const turnOf = ({ row, found }: ReadPack): PackTurn => ({
    check: found && (() => tellWhole(run, row, found, { index, health, onWhole })),
  });
  try {
    let waiting: WaitingPack[] = [];
    let waitingRows = 0;
    for await (const one of inOrder(rows, () => packs.ahead, read)) {
      const based = basedIn(one);
      if (based === undefined) {
        yield turnOf(one);
        continue;
      }
      waiting.push(based);
      waitingRows += based.contents.frames.reduce((sum, { blobs }) => sum + 1 + blobs.length, 0);
      if (waitingRows < mostWaitingRows) continue;
      for (const checked of await withBased(packs, waiting)) yield turnOf(checked);
      waiting = [];
      waitingRows = 0;
    }
    for (const checked of await withBased(packs, waiting)) yield turnOf(checked);
  } finally {
    await packs.close();
  }
}

/** Frames and blobs of packs that wait for each other, about 300 bytes each. */
const mostWaitingRows = 32_768;

interface ReadPack {
  readonly row: PackRow;
  readonly found: FoundPack | undefined;
}

/** A pack of which frames that are built upon others are still to be checked. */
interface WaitingPack extends BasedPack {
  readonly row: PackRow;
  readonly size: number;
  readonly checked: CheckedWhole;
}

function basedIn({ row, found }: ReadPack): WaitingPack | undefined {
  if (found === undefined || 'error' in found) return undefined;
  const { size, checked } = found;
  const { contents, based } = checked;
  return contents === undefined || based.length === 0 ? undefined : { row, size, checked, contents, based };
}

async function withBased(packs: WholePacks, waiting: readonly WaitingPack[]): Promise<readonly ReadPack[]> {
  if (waiting.length === 0) return [];
  const found = await packs.checkBased(waiting);
  return waiting.map(({ row, size, checked }, at) => ({
    row,
    found: { size, checked: { ...checked, problems: [...checked.problems, ...(found[at] ?? [])] } },
  }));
}

/** A pack that was read whole and checked, or why it cannot be read. */
type FoundPack = { readonly size: number; readonly checked: CheckedWhole } | { readonly error: MbkError };

async function tellWhole(
  run: Verification,
  row: PackRow,
  found: FoundPack,
  { index, health, onWhole }: Pick<VerifyPacksOptions, 'index' | 'health' | 'onWhole'>,
): Promise<PackContents | undefined> {
  onWhole?.(row.id, !('error' in found) && found.checked.problems.length === 0);
  if ('error' in found) {
    const { code, message } = found.error;
    await spoil(run, health, row, code === 'entry-absent' ? 'pack-absent' : 'pack-damaged', message);
    return undefined;
  }
  const { size, checked } = found;
  const { contents, problems, bytes } = checked;
  run.counts.packBytes += size;
  const [first] = problems;
  if (first === undefined) return contents;
  const frames =
    bytes !== undefined
      ? await badFrames(run, index, row, bytes)
      : [...new Set(problems.flatMap(({ frame }) => frame ?? []))];
  const where =
    frames.length === 0
      ? ''
      : ` (${frames.length === 1 ? 'frame' : 'frames'} ${frames.slice(0, 10).join(', ')}${frames.length > 10 ? ', …' : ''})`;
  const finding = run.found.open({
    code: 'pack-damaged',
    severity: 'error',
    key: packKey(row.kind, row.id),
    message: `${first.error.message}${where}`,
  });
  for (const frame of frames) health.spoilFrame(row.id, frame, finding);
  return contents;
}

/** Frames of a pack without a footer that cannot be read either, going by the index. */
async function badFrames(
  { repository }: Verification,
  index: IndexSet,
  row: PackRow,
  bytes: Uint8Array,
): Promise<readonly number[]> {
  const copies = new Map<number, BlobCopy[]>();
  for (const segment of index.segments) {
    if (segment.pack(row.id) === undefined) continue;
    for (const copy of segment.allCopies()) {
      if (copy.pack.id === row.id) copies.set(copy.number, [...(copies.get(copy.number) ?? []), copy]);
    }
  }
  const bad: number[] = [];
  for (const [number, of] of copies) if (!(await isSoundFrame(repository, row, number, of, bytes))) bad.push(number);
  return bad;
}

async function isSoundFrame(
  { packs, blobs, signal }: Repository,
  row: PackRow,
  number: number,
  copies: readonly BlobCopy[],
  bytes: Uint8Array,
): Promise<boolean> {
  const [first] = copies;
  if (first === undefined) return true;
  const { frame } = first;
  try {
    const plain = openFrame(
      packs.keyOf(row),
      row,
      number,
      frame,
      bytes.subarray(frame.offset, frame.offset + frame.boxLength),
      await (await blobs()).readBases(first, { signal }),
    );
    for (const { id, offset, length } of copies) checkBlob(id, plain.subarray(offset, offset + length), row, number);
    return true;
  } catch (error) {
    if (!isBadContent(error) && !isMbkError(error, 'blob-absent')) throw error;
    return false;
  }
}

/** Holds the footer of a pack against every live segment that has rows of it. */
function compareWithIndex(
  run: Verification,
  index: IndexSet,
  contents: PackContents,
  seen: ReadonlyMap<Segment, SeenRows>,
): void {
  const { row, frames } = contents;
  if (run.fold.actors.get(row.actor) === undefined) {
    const message = `${packName(row)} is signed by ${row.actor.slice(0, 8)}, who never was an actor of this repository`;
    run.found.add({ code: 'pack-signer-unknown', severity: 'error', key: packKey(row.kind, row.id), message });
  }
  const blobs = frames.reduce((sum, frame) => sum + frame.blobs.length, 0);
  for (const segment of index.segments) {
    const listed = segment.pack(row.id);
    if (listed === undefined) continue;
    const rest = seen.get(segment);
    if (rest !== undefined) {
      rest.records += blobs;
      rest.frames += frames.length;
    }
    const problem = isSameRow(listed, row) ? missingBlob(segment, contents) : 'another row of the pack itself';
    if (problem === undefined) continue;
    const message = `index segment ${segment.id} and the footer of ${packName(row)} disagree: the segment has ${problem}`;
    run.found.add({ code: 'index-wrong', severity: 'error', key: segmentKey(segment.id), message });
  }
}

function isSameRow(a: PackRow, b: PackRow): boolean {
  return (
    equalBytes(a.ephemeral, b.ephemeral) &&
    (['id', 'actor', 'keyset', 'size', 'kind', 'lifetime', 'frames'] as const).every((field) => a[field] === b[field])
  );
}

/** The first thing that the footer has and the segment has not, or has otherwise. */
function missingBlob(segment: Segment, { row, frames }: PackContents): string | undefined {
  for (const [number, frame] of frames.entries()) {
    let offset = 0;
    // Copies of one frame share what was found to be the same.
    let same: FrameRow | undefined;
    for (const { id, type, length } of frame.blobs) {
      const copy = segment
        .copies(row.kind, id)
        .find(
          (one) =>
            one.pack.id === row.id &&
            one.number === number &&
            one.offset === offset &&
            one.length === length &&
            one.type === type,
        );
      if (copy === undefined) return `no row of blob ${id} in frame ${number}`;
      if (copy.frame !== same && !isSameFrame(copy.frame, frame)) return `another row of frame ${number}`;
      same = copy.frame;
      offset += length;
    }
  }
  return undefined;
}

function isSameFrame(a: FrameRow, b: FrameRow): boolean {
  return (
    (['offset', 'boxLength', 'plainLength', 'codec', 'depth'] as const).every((field) => a[field] === b[field]) &&
    equalBytes(a.parameters, b.parameters) &&
    a.bases.join() === b.bases.join()
  );
}

function markPartial(index: IndexSet, { id }: PackRow, seen: ReadonlyMap<Segment, SeenRows>): void {
  for (const segment of index.segments) {
    const rest = seen.get(segment);
    if (rest !== undefined && segment.pack(id) !== undefined) rest.isPartial = true;
  }
}

/** Takes a pack for unusable and tells it, unless an entry since then has deleted it: then it may be gone. */
async function spoil(
  run: Verification,
  health: PackHealth,
  row: PackRow,
  code: FindingCode,
  message: string,
): Promise<void> {
  await run.repository.log.refresh();
  if (isDeleted(run.repository.log.fold, row.id)) return;
  health.spoilPack(row.id, run.found.open({ code, severity: 'error', key: packKey(row.kind, row.id), message }));
}
