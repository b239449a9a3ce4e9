/**
 * Repair: declares packs lost whose bytes are gone, and adopts stray packs by their footers
 * (`docs/format.md`, operation `lost`; "Writer", `repair index`).
 */
import type { Key } from '../log.ts';
import { openView, type View } from '../view.ts';
import { appendEntry, listKeys, type Pack, readLog, type Steps, type World } from '../world.ts';
import { appendIndex, putSegment } from './index-entry.ts';

export function* repairer(w: World): Steps {
  const view = yield* openView(w);
  if (view === undefined) return;
  const listed = new Set(yield* listKeys(w));
  yield* declareLost(w, view, listed);
  yield* adoptStrays(w, view, listed);
}

function* declareLost(w: World, view: View, listed: ReadonlySet<Key>): Steps {
  const keys = new Set<Key>();
  for (const key of view.indexed.keys()) {
    if (listed.has(key) || isGone(view, key)) continue;
    if (w.rules.lostConfirmedByGet) {
      yield `get ${key}`;
      if (w.store.has(key)) continue;
    }
    keys.add(key);
  }
  while (keys.size > 0) {
    const head = yield* readLog(w);
    for (const key of keys) if (head.deleted.has(key) || head.lost.has(key)) keys.delete(key);
    const entry = { operations: [{ op: 'lost', keys: new Set(keys) } as const] };
    if (keys.size === 0 || (yield* appendEntry(w, head.n + 1, entry))) return;
  }
}

function* adoptStrays(w: World, view: View, listed: ReadonlySet<Key>): Steps {
  const found: Pack[] = [];
  for (const key of listed) {
    if (!key.startsWith('pack') || view.indexed.has(key) || isGone(view, key)) continue;
    yield `get ${key}`;
    const stored = w.store.get(key);
    if (stored?.kind === 'pack') found.push(stored);
  }
  if (found.length === 0) return;
  const segment = yield* putSegment(w, found);
  yield* appendIndex(w, view.fold.n, segment.key);
}

function isGone({ fold }: View, key: Key): boolean {
  return fold.deleted.has(key) || fold.lost.has(key);
}
