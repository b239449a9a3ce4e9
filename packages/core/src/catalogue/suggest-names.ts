/** "Did you mean": the names nearest to one that was not found. */

/**
 * At most three of `names`, nearest first: those that are `name` below a domain (`v2` → `healthcare/v2`), then those
 * at most a third of its letters (and at least 2) away, by insertions, deletions and replacements.
 */
export function suggestNames(name: string, names: readonly string[]): string[] {
  const allowed = Math.max(2, Math.floor(name.length / 3));
  const near: { readonly candidate: string; readonly distance: number }[] = [];
  for (const candidate of new Set(names)) {
    const distance = candidate.endsWith(`/${name}`) ? 0 : editDistance(name, candidate, allowed);
    if (distance <= allowed) near.push({ candidate, distance });
  }
  near.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return near.slice(0, 3).map(({ candidate }) => candidate);
}

/** Levenshtein distance, or `limit` + 1 as soon as it is known to be above `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    if (Math.min(...next) > limit) return limit + 1;
    row = next;
  }
  return row[b.length] ?? limit + 1;
}
