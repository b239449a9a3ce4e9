/**
 * Whether the storage still shows the history that was seen before (docs/format.md, The log).
 */
import { MbkError } from '../errors.ts';
import { logKey } from '../format/log-entry.ts';
import { readLinks, type Link, type LogDamage, type LogSource } from './chain.ts';
import type { LoadedLog } from './load-log.ts';
import { formatPlace, type LogPlace } from './log-memory.ts';

/** Older entries that are read at a time. */
const step = 256;

/**
 * Throws `log-rolled-back` unless the chain of `loaded` has `place`, seen by `who`.
 *
 * An entry that an owner declared void since may differ. Gives a damage, and does not throw, when older damaged entries
 * leave the question open.
 */
export async function checkRollback(
  source: LogSource,
  loaded: LoadedLog,
  place: LogPlace,
  who: string,
): Promise<LogDamage | undefined> {
  const { fold } = loaded;
  if (place.n > fold.n)
    throw rolledBack(`the newest log entry is ${fold.n}, and ${who} entry ${place.n}`, loaded, place);
  const hash = await chainHash(source, loaded.links, place.n);
  if (hash === place.hash || fold.voided.has(place.n)) return undefined;
  if (hash !== undefined)
    throw rolledBack(`log entry ${place.n} is ${hash}, and ${who} ${place.hash} there`, loaded, place);
  return {
    n: place.n,
    key: logKey(source.keys.repository, place.n),
    reason: 'unproven',
    text: `${who} ${formatPlace(place)}, which cannot be compared because entries there are damaged`,
    blocksWriters: false,
  };
}

/** The hash that the chain has for entry n: proved link by link from the head down; undefined behind damage. */
async function chainHash(source: LogSource, links: readonly Link[], n: number): Promise<string | undefined> {
  let [lowest] = links;
  let known = links;
  while (lowest !== undefined && lowest.n > n) {
    known = await readLinks(source, { newest: lowest.n - 1, oldest: Math.max(n, lowest.n - step), successor: lowest });
    // Behind an entry that cannot be read the chain is not proved any more.
    if (known.some((link) => link.entry === undefined && link.n !== n)) return undefined;
    [lowest] = known;
  }
  const link = known.find((one) => one.n === n);
  return link === undefined || (link.entry === undefined && !link.proved) ? undefined : link.hash;
}

function rolledBack(what: string, { newest }: LoadedLog, place: LogPlace): MbkError {
  return new MbkError('log-rolled-back', `the storage shows another history than before: ${what}`, {
    details: { stored: newest, remembered: { n: place.n, hash: place.hash } },
  });
}
