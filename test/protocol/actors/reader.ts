/**
 * A reader: a checkout of one live capture, beside whatever prunes do.
 *
 * It ends with every blob, or with "pruned by entry n" if the capture was expired meanwhile.
 */
import { chainOf, type Resolution } from '../copies.ts';
import { type Blob, type Capture, liveCaptures } from '../log.ts';
import { openView, resolveForReading, type View } from '../view.ts';
import { blobName, type Steps, type World } from '../world.ts';

/** Which live capture, counted from the oldest. */
export interface ReadJob {
  readonly index: number;
}

export function* reader(w: World, { index }: ReadJob): Steps {
  let view = yield* openView(w);
  if (view === undefined) return;
  const captures = liveCaptures(view.fold);
  const capture = captures[index % Math.max(captures.length, 1)];
  if (capture === undefined) return;
  let rereads = 0;
  for (const blob of capture.blobs) {
    while (!(yield* readBlob(w, resolveForReading(w, view), blob))) {
      const before: View = view;
      if (rereads++ > 0 && !w.rules.readerRereadsWhileLogMoves) return fail(w, capture, blob);
      view = yield* openView(w);
      // Expired is the clear error; a log that did not move explains nothing.
      if (view === undefined || view.fold.expired.has(capture.id)) return;
      if (view.fold.n === before.fold.n) return fail(w, capture, blob);
    }
  }
}

/** GETs of the blob's frame and of the frames of its bases. */
function* readBlob(w: World, resolution: Resolution, blob: Blob): Steps<boolean> {
  const copy = resolution.get(blob);
  if (copy === undefined) return false;
  for (const key of chainOf(resolution, copy)) {
    yield `get ${key}`;
    if (!w.store.has(key)) return false;
  }
  return true;
}

/** What the storage itself lost is damage, and is reported as that. */
function fail(w: World, capture: Capture, blob: Blob): void {
  if (w.damaged.size > 0) return;
  w.losses.push(`a reader cannot read blob ${blobName(blob)} of live capture ${String(capture.id)}`);
}
