/** Expiring captures and taking it back (`docs/format.md`, operations `expire` and `unexpire`). */
import { type Key, liveCaptures } from '../log.ts';
import { openView, packsBehind, resolveForReading } from '../view.ts';
import { appendEntry, readLog, type Steps, type World } from '../world.ts';
import { namesBetween } from './index-entry.ts';

/** Which capture, counted from the oldest. */
export interface RetentionJob {
  readonly index: number;
}

export function* expirer(w: World, { index }: RetentionJob): Steps {
  let fold = yield* readLog(w);
  const capture = liveCaptures(fold)[index];
  if (capture === undefined) return;
  while (!fold.expired.has(capture.id)) {
    const entry = { operations: [{ op: 'expire', capture: capture.id } as const] };
    if (yield* appendEntry(w, fold.n + 1, entry)) return;
    fold = yield* readLog(w);
  }
}

export function* unexpirer(w: World, { index }: RetentionJob): Steps {
  const view = yield* openView(w);
  if (view === undefined) return;
  const id = [...view.fold.expired][index];
  const capture = id === undefined ? undefined : view.fold.captures.get(id);
  if (capture === undefined) return;
  const relied = packsBehind(resolveForReading(w, view), capture.blobs);
  if (relied === undefined) return;
  for (;;) {
    const head = yield* readLog(w);
    if (!head.expired.has(capture.id)) return;
    if (w.rules.unexpireRechecks && !standsStill(w, view.fold.n, head.n, relied)) return;
    const entry = { operations: [{ op: 'unexpire', capture: capture.id } as const] };
    if (yield* appendEntry(w, head.n + 1, entry)) return;
  }
}

function standsStill(w: World, since: number, n: number, relied: ReadonlySet<Key>): boolean {
  const gone = namesBetween(w, 'delete', since, n).union(namesBetween(w, 'lost', since, n));
  return gone.isDisjointFrom(relied);
}
