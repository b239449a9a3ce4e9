/**
 * The whole log, read from the storage from its newest entry down: every entry by its tags, signature and successor,
 * every state against the entries that it folds (docs/format.md, The log and State).
 */
import type { EntryId } from '../../format/ids.ts';
import { stateInterval } from '../../format/limits.ts';
import { logKey } from '../../format/log-entry.ts';
import { stateNamedBy } from '../../log/apply-entry.ts';
import { readLinks, type Link, type LogSource } from '../../log/chain.ts';
import { entryCache } from '../../log/entry-cache.ts';
import { emptyFold, hasNoEffect, type Fold } from '../../log/fold.ts';
import { replay, type StateClaim } from '../../log/load-log.ts';
import { readState, stateKey } from '../../log/state-entry.ts';
import type { Verification } from './verification.ts';

/** Ids of all states that the log names: nothing else in `state/` is needed. */
export async function verifyLog(run: Verification): Promise<ReadonlySet<EntryId>> {
  const { repository, fold, counts } = run;
  const { backend, keys, random, cacheFolder } = repository;
  const source: LogSource = { backend, keys, cache: entryCache(cacheFolder, random), signal: run.signal };
  const states = new Set<EntryId>();
  /** From the newest state that was read, or entry 1, on; what is above the next state has been compared. */
  let links: readonly Link[] = [];
  let above: StateClaim | undefined;
  for (let newest = fold.n; newest >= 1;) {
    const oldest = Math.max(1, newest - (newest % stateInterval));
    const read = await readLinks(source, { newest, oldest, successor: links[0], fromStorage: true });
    for (const link of read) tellLink(run, link);
    counts.logEntries += read.length;
    run.progress('log', counts.logEntries, fold.n);
    links = [...read, ...links];
    const state = await stateAt(run, source, read[0], states);
    if (state !== undefined) {
      await compare(run, source, state.fold, links, above);
      above = state;
      links = read.slice(0, 1);
    }
    newest = oldest - 1;
  }
  if (links[0]?.n === 1) await compare(run, source, emptyFold, links, above);
  tellOpening(run);
  return states;
}

/** The state that the entry of `link` names. */
async function stateAt(
  run: Verification,
  source: LogSource,
  link: Link | undefined,
  states: Set<EntryId>,
): Promise<StateClaim | undefined> {
  const id = link?.entry === undefined ? undefined : stateNamedBy(link.entry);
  if (link?.entry === undefined || id === undefined) return undefined;
  states.add(id);
  run.counts.states += 1;
  const fold = await readState({ ...source, cache: entryCache(undefined, run.repository.random) }, id, link.entry);
  if (typeof fold !== 'string') return { n: link.n, id, fold };
  run.found.add({ code: 'state-damaged', severity: 'error', key: stateKey(id), message: fold });
  return undefined;
}

/** Folds `links` on top of `base` and compares with the next state above. */
async function compare(
  run: Verification,
  source: LogSource,
  base: Fold,
  links: readonly Link[],
  above: StateClaim | undefined,
): Promise<void> {
  if (above === undefined) return;
  const { damage } = await replay(source, { fold: base, checked: null, claims: [above] }, links);
  for (const { key, text } of damage) {
    if (key === stateKey(above.id)) run.found.add({ code: 'state-damaged', severity: 'error', key, message: text });
  }
}

function tellLink({ repository, fold, found }: Verification, link: Link): void {
  const problem = link.entry === undefined ? link : link.healed;
  if (problem === undefined) return;
  const key = logKey(repository.keys.repository, link.n);
  if (fold.voided.has(link.n)) {
    found.add({ code: 'log-damaged', severity: 'note', key, message: `${problem.text}; an owner declared it void` });
    return;
  }
  const rest = link.entry === undefined ? '' : '; this host has the right bytes, which `mbk repair log` puts back';
  found.add({ code: 'log-damaged', severity: 'error', key, message: `${problem.text}${rest}` });
}

/** What opening saw beside single entries, and what entries carried without effect. */
function tellOpening({ repository, fold, found }: Verification): void {
  for (const { key, reason, text, blocksWriters } of repository.log.damage) {
    if (reason !== 'stray' && reason !== 'unproven') continue;
    found.add({ code: 'log-damaged', severity: blocksWriters ? 'error' : 'warning', key, message: text });
  }
  for (const finding of fold.findings.values()) {
    const key = logKey(repository.keys.repository, finding.n);
    const message = `log entry ${finding.n}, ${finding.op}: ${finding.text}`;
    found.add({ code: 'log-finding', severity: hasNoEffect(finding) ? 'warning' : 'note', key, message });
  }
}
