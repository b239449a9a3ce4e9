/** Entries that the log does not need: what interrupted runs left, what was deleted and not yet removed. Never an error. */
import { bundleKey } from '../../catalogue/seal-bundle.ts';
import type { EntryId } from '../../format/ids.ts';
import { packKey } from '../../format/ids.ts';
import { logPrefix } from '../../format/log-entry.ts';
import { isDeleted } from '../../log/fold.ts';
import { stateKey } from '../../log/state-entry.ts';
import type { IndexSet } from '../../pack/index-set.ts';
import { segmentKey } from '../../pack/segment-writer.ts';
import type { Verification } from './verification.ts';

export interface Strays {
  /** Packs in no live segment; `mbk repair index` takes them up. */
  readonly packs: number;
  readonly segments: number;
  readonly bundles: number;
  readonly states: number;
  /** Keys that no entry of this repository has. */
  readonly other: number;
  /** Bytes of all of them. */
  readonly bytes: number;
}

export function countStrays(
  run: Verification,
  named: { readonly index: IndexSet; readonly states: ReadonlySet<EntryId> },
): Strays {
  const { fold, listed, repository } = run;
  const needed = new Set<string>();
  for (const { kind, id } of named.index.packs()) if (!isDeleted(fold, id)) needed.add(packKey(kind, id));
  for (const id of fold.segments.keys()) needed.add(segmentKey(id));
  for (const { bundle } of fold.lines.values()) needed.add(bundleKey(bundle));
  for (const { bundle } of fold.tags.values()) needed.add(bundleKey(bundle));
  for (const id of named.states) needed.add(stateKey(id));
  const counts = { packs: 0, segments: 0, bundles: 0, states: 0, other: 0, bytes: 0 };
  for (const [key, size] of listed) {
    if (needed.has(key) || isElsewhere(key, logPrefix(repository.keys.repository))) continue;
    counts[kindOf(key)] += 1;
    counts.bytes += size;
  }
  return counts;
}

/** Log entries and what opens a repository are looked at by other steps. */
function isElsewhere(key: string, log: string): boolean {
  return key.startsWith(log) || /^(?:copy\/)?(?:mbk\.json$|slots\/|grants\/)/.test(key) || key.startsWith('audit/');
}

function kindOf(key: string): 'packs' | 'segments' | 'bundles' | 'states' | 'other' {
  if (/^(?:packs|meta)\/[0-9a-f]{2}\/[0-9a-f]{64}$/.test(key)) return 'packs';
  if (/^index\/[0-9a-f]{64}$/.test(key)) return 'segments';
  if (/^catalogue\/[0-9a-f]{64}$/.test(key)) return 'bundles';
  return /^state\/[0-9a-f]{64}$/.test(key) ? 'states' : 'other';
}
