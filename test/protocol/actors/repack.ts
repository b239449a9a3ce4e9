/**
 * Repacking: stores a second copy of a blob that a live capture needs, perhaps over a base, and
 * makes it live by an index entry. It commits no capture, so it has nothing to check but its
 * segment; if its base goes away meanwhile, its copy is merely not whole.
 */
import { type Copy, MAX_DEPTH } from '../copies.ts';
import type { Blob } from '../log.ts';
import { blobsOfLiveCaptures, openView, resolveForWriting } from '../view.ts';
import { newId, type Pack, putStored, type Steps, type World } from '../world.ts';
import { appendIndex, putSegment } from './index-entry.ts';

export interface RepackJob {
  readonly blob: Blob;
  readonly base: Blob | undefined;
}

export function* repacker(w: World, job: RepackJob): Steps {
  const view = yield* openView(w);
  if (view === undefined || !blobsOfLiveCaptures(view.fold).has(job.blob)) return;
  const known = resolveForWriting(w, view, []);
  if (!known.has(job.blob)) return;
  const key = `pack ${String(newId(w))}`;
  const base = job.base === undefined ? undefined : known.get(job.base);
  const over = base !== undefined && base.depth < MAX_DEPTH && base.blob !== job.blob ? base : undefined;
  const copy: Copy = {
    blob: job.blob,
    pack: key,
    depth: over === undefined ? 0 : over.depth + 1,
    bases: over === undefined ? [] : [over.blob],
  };
  const pack: Pack = { kind: 'pack', key, copies: [copy] };
  yield* putStored(w, pack);
  const segment = yield* putSegment(w, [pack]);
  yield* appendIndex(w, view.fold.n, segment.key);
}
