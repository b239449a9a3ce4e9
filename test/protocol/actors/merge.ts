/** A merge of index segments (`docs/format.md`, "Index segments"). */
import { openView, packsOf } from '../view.ts';
import { removeStored, type Steps, type World } from '../world.ts';
import { appendIndex, putSegment } from './index-entry.ts';

/** `count`: how many segments, the oldest first. */
export interface MergeJob {
  readonly count: number;
}

export function* merger(w: World, { count }: MergeJob): Steps {
  const view = yield* openView(w);
  if (view === undefined || view.segments.size < 2) return;
  const { deleted, lost, condemned } = view.fold;
  const chosen = [...view.segments.values()].slice(0, count);
  const packs = [...packsOf(chosen).values()].filter(({ key }) => {
    if (w.rules.mergeDropsDead && (deleted.has(key) || lost.has(key))) return false;
    return w.rules.mergeKeepsCondemned || !condemned.has(key);
  });
  const merged = yield* putSegment(w, packs);
  const old = chosen.map(({ key }) => key);
  const done = yield* appendIndex(w, view.fold.n, merged.key, old);
  // A name that never recurs is nobody else's: the loser may take its segment away again,
  // and the winner the ones it dropped.
  for (const key of done ? old : [merged.key]) yield* removeStored(w, key);
}
