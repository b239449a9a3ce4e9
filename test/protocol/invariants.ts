/**
 * What must hold after every call of the backend, whatever was interrupted and whoever ran beside.
 *
 * The measure is independent of what actors believe: it looks at the bytes that are there, at
 * every name that was ever deleted, and at what copies really give back.
 */
import { decodable } from './copies.ts';
import { type Blob, type Capture, type Fold, type Key, liveCaptures } from './log.ts';
import { copiesOf, packsOf } from './view.ts';
import { blobName, headFold, type Pack, type Segment, type World } from './world.ts';

/** The first promise found broken, in words; undefined if all hold. */
export function findLoss(w: World): string | undefined {
  const fold = headFold(w);
  return w.losses[0] ?? findLostEntry(w, fold) ?? findMissingKey(w, fold) ?? findLostBlob(w, fold);
}

/** Snapshots reported as done are in the log, and every commit is an ancestor of the head. */
function findLostEntry(w: World, fold: Fold): string | undefined {
  const missing = w.reported.find((capture) => !fold.captures.has(capture));
  if (missing !== undefined) return `reported capture ${String(missing)} is not in the log`;
  const parents = new Map([...fold.captures.values()].map(({ n, parent }) => [n, parent]));
  let commits = 0;
  for (let n = fold.head; n !== 0; n = parents.get(n) ?? 0) commits++;
  if (commits < fold.captures.size) return 'a commit is not an ancestor of the head';
  return undefined;
}

/** Live segments are there; bundles are there for ever, because history is. */
function findMissingKey(w: World, fold: Fold): string | undefined {
  const segments = w.rules.indexLiveByLog ? [...fold.segments] : [];
  // That somebody is about to put it is no excuse: a crash would keep it away.
  const bundles = [...fold.captures.values()].map(({ bundle }) => bundle);
  const missing = [...segments, ...bundles].find((key) => !w.store.has(key));
  return missing === undefined ? undefined : `${missing} is named by the log and not there`;
}

/** Every blob of every live capture comes out of packs that are there and not deleted. */
function findLostBlob(w: World, fold: Fold): string | undefined {
  const copies = copiesOf(usablePacks(w, fold));
  const found = decodable(copies);
  for (const capture of liveCaptures(fold)) {
    let readable = found;
    if (w.damaged.size > 0) readable = decodable(copies, excusedBlobs(w, fold, capture));
    const lost = [...capture.blobs].find((blob) => !readable.has(blob));
    if (lost !== undefined) {
      return `blob ${blobName(lost)} of live capture ${String(capture.id)} is lost`;
    }
  }
  return undefined;
}

function usablePacks(w: World, fold: Fold): Pack[] {
  const names = w.rules.indexLiveByLog ? fold.segments : w.store.keys();
  const segments = [...names].flatMap((key): Segment[] => {
    const stored = w.store.get(key);
    return stored?.kind === 'segment' ? [stored] : [];
  });
  return [...packsOf(segments).values()].filter(
    ({ key }) => w.store.has(key) && !w.everDeleted.has(key) && !fold.lost.has(key),
  );
}

/**
 * What a capture may miss because the storage lost it: blobs of damaged packs, unless the pack was
 * declared lost before the capture was committed (then the writer should have stored them again)
 * or was deleted by somebody.
 */
function excusedBlobs(w: World, fold: Fold, capture: Capture): Blob[] {
  const isExcused = (key: Key): boolean => (fold.lost.get(key) ?? Infinity) > capture.n && !w.everDeleted.has(key);
  return [...w.damaged].flatMap(([key, pack]) => (isExcused(key) ? pack.copies.map(({ blob }) => blob) : []));
}
