/** Which contexts share weights: as few tables as pay, at most so many, so that what a frame says of them stays small. */
import { selfBits } from './entropy.ts';

export interface Clusters {
  /** Of each context the number of its table, in the order of the first context of each; of those that were not seen that of the one before. */
  readonly tableOf: Uint8Array;
  /** Of each table how often each symbol is in its contexts. */
  readonly counts: readonly Uint32Array[];
}

/** Some contexts together. */
interface Group {
  readonly counts: Uint32Array;
  readonly contexts: number[];
  total: number;
}

/** Bits that a table takes: so many, and so many for each of its symbols. */
const tableBits = 24;
const weightBits = 8;
/** Groups that are compared with all others; before, only neighbours are. */
const mostCompared = 16;
/** Contexts with less than this part of all symbols, or fewer symbols, go along with their neighbour. */
const leastShare = 1 / 256;
const leastTotal = 48;

/** How often each symbol was in each context. */
export interface ContextCounts {
  /** 256 counters of each context, of which the first `symbols` may be other than 0. */
  readonly counts: Uint32Array;
  readonly symbols: number;
  /** Of each context how many symbols were in it; one at least in one of them. */
  readonly sums: Uint32Array;
}

/** Groups contexts to at most `most`: neighbours first, then all with all. Overwrites the counters. */
export function clusterContexts({ counts, symbols, sums }: ContextCounts, most: number): Clusters {
  const groups: Group[] = [];
  for (let context = 0; context < sums.length; context += 1) {
    const total = sums[context] ?? 0;
    if (total === 0) continue;
    groups.push({ counts: counts.subarray(256 * context, 256 * context + symbols), contexts: [context], total });
  }
  joinSmall(groups);
  joinNeighbours(groups);
  joinAny(groups, most);
  groups.sort((a, b) => Math.min(...a.contexts) - Math.min(...b.contexts));
  const known = new Int16Array(sums.length).fill(-1);
  for (const [table, group] of groups.entries()) for (const context of group.contexts) known[context] = table;
  let last = 0;
  const tableOf = Uint8Array.from(known, (table) => {
    if (table >= 0) last = table;
    return last;
  });
  return { tableOf, counts: groups.map((group) => group.counts) };
}

/** Bits that both take more if they share a table, less those of the table that they save. */
function costOf(a: Group, b: Group): number {
  const ones = a.counts;
  const others = b.counts;
  let more = selfBits(a.total + b.total) - selfBits(a.total) - selfBits(b.total);
  let common = 0;
  for (let symbol = 0; symbol < ones.length; symbol += 1) {
    const one = ones[symbol] ?? 0;
    if (one === 0) continue;
    const other = others[symbol] ?? 0;
    if (other === 0) continue;
    common += 1;
    more -= selfBits(one + other) - selfBits(one) - selfBits(other);
  }
  return more - tableBits - weightBits * common;
}

function join(into: Group, from: Group): void {
  for (let symbol = 0; symbol < into.counts.length; symbol += 1)
    into.counts[symbol] = (into.counts[symbol] ?? 0) + (from.counts[symbol] ?? 0);
  into.total += from.total;
  into.contexts.push(...from.contexts);
}

/** Joins groups that are too small to be looked at with those behind them, the last one with the one before. */
function joinSmall(groups: Group[]): void {
  const least = Math.max(leastTotal, groups.reduce((sum, { total }) => sum + total, 0) * leastShare);
  for (let i = groups.length - 2; i >= 0; i -= 1) {
    if ((groups[i + 1]?.total ?? 0) < least || (i === 0 && (groups[0]?.total ?? 0) < least)) joinAt(groups, i, i + 1);
  }
}

/** Joins groups that stand side by side while that saves, and until no more than `mostCompared` are left. */
function joinNeighbours(groups: Group[]): void {
  const costs = groups.slice(1).map((group, i) => costOf(groups[i] ?? group, group));
  while (costs.length > 0) {
    const best = indexOfLeast(costs);
    if ((costs[best] ?? 0) >= 0 && groups.length <= mostCompared) return;
    joinAt(groups, best, best + 1);
    costs.splice(best, 1);
    for (const at of [best - 1, best]) {
      const [left, right] = [groups[at], groups[at + 1]];
      if (left !== undefined && right !== undefined) costs[at] = costOf(left, right);
    }
  }
}

/** Joins any two groups while that saves, and until no more than `most` are left. */
function joinAny(groups: Group[], most: number): void {
  const costs = groups.map((group, i) => groups.slice(0, i).map((other) => costOf(other, group)));
  while (groups.length > 1) {
    let least = Infinity;
    let best: readonly [number, number] = [0, 1];
    for (const [right, row] of costs.entries()) {
      for (const [left, cost] of row.entries()) {
        if (cost >= least) continue;
        least = cost;
        best = [left, right];
      }
    }
    if (least >= 0 && groups.length <= most) return;
    const [into, gone] = best;
    joinAt(groups, into, gone);
    costs.splice(gone, 1);
    for (const row of costs.slice(gone)) row.splice(gone, 1);
    const joined = groups[into];
    if (joined === undefined) return;
    for (const [i, group] of groups.entries()) {
      if (i === into) continue;
      const row = costs[Math.max(i, into)];
      if (row !== undefined) row[Math.min(i, into)] = costOf(joined, group);
    }
  }
}

function joinAt(groups: Group[], into: number, gone: number): void {
  const [to, from] = [groups[into], groups[gone]];
  if (to === undefined || from === undefined) return;
  join(to, from);
  groups.splice(gone, 1);
}

function indexOfLeast(costs: readonly number[]): number {
  let best = 0;
  for (const [i, cost] of costs.entries()) if (cost < (costs[best] ?? 0)) best = i;
  return best;
}
