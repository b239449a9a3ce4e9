/**
 * The live index segments: their bytes in the storage, and every row of every page (docs/format.md, Index segments).
 * That their rows are those of the packs is for `verify-packs.ts`, which has the footers at hand.
 */
import { createHash } from 'node:crypto';
import type { MbkError } from '../../errors.ts';
import type { LiveSegment } from '../../format/log-state.ts';
import { liveSegments } from '../../log/fold.ts';
import type { IndexSet } from '../../pack/index-set.ts';
import { readTwice } from '../../pack/read-twice.ts';
import type { Segment } from '../../pack/segment.ts';
import { segmentKey } from '../../pack/segment-writer.ts';
import { isBadContent } from '../bad-content.ts';
import { sizeInStorage, type Verification } from './verification.ts';

/** Bytes of one read: a merged segment can be larger than memory. */
const readBytes = 8 * 1024 * 1024;

/** The index of all segments that can be used. */
export async function verifyIndex(run: Verification): Promise<IndexSet> {
  const { repository, fold, counts } = run;
  const live = liveSegments(fold);
  const index = await repository.index();
  for (const info of live) {
    run.progress('index', counts.segments, live.length);
    counts.segments += 1;
    const problem = await segmentProblem(run, index, info);
    if (problem !== undefined) await tell(run, info, problem);
  }
  return index;
}

/** What is wrong with a live segment in the storage; undefined for a sound one. */
export async function segmentProblem(
  run: Verification,
  index: IndexSet,
  info: LiveSegment,
): Promise<SegmentProblem | undefined> {
  return (
    (await storedProblem(run, info)) ??
    rowProblem(
      index.segments.find(({ id }) => id === info.id),
      info,
    )
  );
}

export interface SegmentProblem {
  readonly code: 'segment-absent' | 'segment-damaged';
  readonly text: string;
}

/** What is wrong with the bytes in the storage, whatever a local copy says. */
async function storedProblem(run: Verification, { id, bytes }: LiveSegment): Promise<SegmentProblem | undefined> {
  const key = segmentKey(id);
  const size = await sizeInStorage(run, key);
  if (size === undefined) return { code: 'segment-absent', text: `index segment ${id} is not in the storage` };
  if (size !== bytes)
    return { code: 'segment-damaged', text: `index segment ${id} has ${size} bytes, and the log says ${bytes}` };
  try {
    const hash = await readTwice(() => hashStored(run, key, size));
    return hash === id
      ? undefined
      : { code: 'segment-damaged', text: `index segment ${id} does not match its name: its bytes were changed` };
  } catch (error) {
    if (!isBadContent(error)) throw error;
    return { code: error.code === 'entry-absent' ? 'segment-absent' : 'segment-damaged', text: error.message };
  }
}

async function hashStored({ repository, signal }: Verification, key: string, size: number): Promise<string> {
  const hash = createHash('sha256');
  for (let offset = 0; offset < size; offset += readBytes) {
    hash.update(await repository.backend.get(key, { offset, length: Math.min(readBytes, size - offset), signal }));
  }
  return hash.digest('hex');
}

/** What is wrong with the rows: every page opens, every record leads to a frame and a pack, and they are in order. */
function rowProblem(segment: Segment | undefined, { id, blobs }: LiveSegment): SegmentProblem | undefined {
  const damaged = (text: string): SegmentProblem => ({ code: 'segment-damaged', text });
  if (segment === undefined) return damaged(`index segment ${id} cannot be opened`);
  if (segment.counts.records !== blobs)
    return damaged(`index segment ${id} has ${segment.counts.records} blobs, and the log says ${blobs}`);
  try {
    let before = '';
    for (const { id: blob } of segment.allCopies()) {
      if (blob < before) return damaged(`the records of index segment ${id} are not sorted`);
      before = blob;
    }
    before = '';
    for (const { id: pack } of segment.packs()) {
      if (pack <= before) return damaged(`the packs of index segment ${id} are not sorted`);
      before = pack;
    }
  } catch (error) {
    if (!isBadContent(error)) throw error;
    return damaged((error as MbkError).message);
  }
  return undefined;
}

/** Tells a problem, unless the log has moved on and does not need the segment any more. */
async function tell(
  { repository, found }: Verification,
  { id }: LiveSegment,
  { code, text }: SegmentProblem,
): Promise<void> {
  await repository.log.refresh();
  if (repository.log.fold.segments.get(id) === undefined) return;
  const message = `${text}; \`mbk repair index\` makes it again from the packs`;
  found.add({ code, severity: 'error', key: segmentKey(id), message });
}
