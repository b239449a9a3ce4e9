/** `mbk log`: the history of all domains or of one, from the lines that the log keeps; no entry is read for it. */
import { checkDomainName } from '../catalogue/names.ts';
import { suggestNames } from '../catalogue/suggest-names.ts';
import { MbkError } from '../errors.ts';
import type { ActorId, CommitId } from '../format/ids.ts';
import type { Line } from '../format/log-state.ts';
import { timeText, timeTexts } from '../format/snapshot-manifest.ts';
import { headsOf, isExpired, type Fold } from '../log/fold.ts';
import type { Repository } from '../repository.ts';

export interface HistoryRequest {
  /** Begin with this snapshot and go back in its domain. */
  readonly revision?: string | undefined;
  /** Only this domain. */
  readonly domain?: string | undefined;
  /** At most so many rows. */
  readonly limit?: number | undefined;
}

/** One snapshot as `mbk log` shows it; sizes in bytes, times RFC 3339. */
export interface HistoryRow {
  readonly commit: CommitId;
  readonly domain: string;
  readonly parent: CommitId | null;
  /** Full names of the tags that are on it now. */
  readonly tags: readonly string[];
  readonly takenAt: string;
  readonly message: string;
  readonly host: string;
  readonly plan: string | null;
  readonly run: string;
  readonly actor: { readonly id: ActorId; readonly name: string | null };
  readonly files: number;
  readonly bytes: number;
  /** Plain bytes that were new to the repository. */
  readonly added: number;
  /** Bytes that were written for them. */
  readonly stored: number;
  readonly flags: readonly string[];
  /** What its run took. */
  readonly captures: readonly HistoryCapture[];
  /** What it carried forward from an earlier run of `commit`. */
  readonly carried: readonly { readonly collection: string; readonly commit: CommitId; readonly expired: boolean }[];
  /** Number of the log entry that holds it. */
  readonly entry: number;
}

export interface HistoryCapture {
  readonly collection: string;
  readonly files: number;
  readonly bytes: number;
  /** Whether its files were given up by retention. */
  readonly expired: boolean;
}

/**
 * Snapshots, newest first by the order of the log; each row is made when it is asked for. Fails at once.
 *
 * Errors: `name-invalid`, `revision-unknown` (also for a domain without snapshots), `revision-ambiguous`.
 */
export function listHistory(repository: Repository, request: HistoryRequest = {}): Iterable<HistoryRow> {
  const { fold } = repository.log;
  const lines = chosenLines(repository, request);
  return rowsOf(fold, lines, request.limit);
}

function* rowsOf(fold: Fold, lines: Iterable<Line>, limit = Infinity): Generator<HistoryRow> {
  const context = { tags: tagsByCommit(fold), timeText: timeTexts() };
  let left = limit;
  for (const line of lines) {
    if (left <= 0) return;
    left -= 1;
    yield rowOf(fold, line, context);
  }
}

/** The row of one commit; undefined when the log does not know it. */
export function historyRow(fold: Fold, commit: CommitId): HistoryRow | undefined {
  const line = fold.lineOfCommit.get(commit);
  return line === undefined ? undefined : rowOf(fold, line, { tags: tagsByCommit(fold), timeText });
}

/** Newest first; one at a time, since a history is long. */
function chosenLines(repository: Repository, { revision, domain }: HistoryRequest): Iterable<Line> {
  const { fold } = repository.log;
  if (domain !== undefined) requireDomain(fold, domain);
  if (revision === undefined) return linesBack(fold, { domain });
  const { line } = repository.resolve(revision);
  if (domain !== undefined && domain !== line.domain) {
    throw new MbkError('revision-unknown', `${revision} is a snapshot of ${line.domain}, not of ${domain}`, {
      details: { revision, domain, suggestions: [] },
    });
  }
  return linesBack(fold, { domain: line.domain, newest: line.n });
}

/** Lines of one domain or of all, from the entry `newest` back. */
function* linesBack(
  fold: Fold,
  { domain, newest = Infinity }: { readonly domain: string | undefined; readonly newest?: number },
): Generator<Line> {
  for (let place = fold.lines.length - 1; place >= 0; place -= 1) {
    const line = fold.lines.at(place);
    if (line !== undefined && line.n <= newest && (domain === undefined || line.domain === domain)) yield line;
  }
}

/** Errors: `name-invalid`, `revision-unknown` where the domain has no snapshot. */
export function requireDomain(fold: Fold, domain: string): void {
  checkDomainName(domain);
  const heads = headsOf(fold);
  if (heads.has(domain)) return;
  const suggestions = suggestNames(domain, [...heads.keys()]);
  throw new MbkError('revision-unknown', `there is no snapshot of a domain ${domain}`, {
    details: { revision: domain, suggestions },
    ...(suggestions.length === 0 ? {} : { remedy: `Did you mean ${suggestions.join(' or ')}?` }),
  });
}

interface RowContext {
  readonly tags: ReadonlyMap<CommitId, readonly string[]>;
  readonly timeText: (at: number) => string;
}

function rowOf(fold: Fold, head: Line, { tags, timeText: textOf }: RowContext): HistoryRow {
  const { to: commit, domain, from: parent, line, n: entry, actor } = head;
  const { takenAt, message, host, plan, run, files, bytes, added, stored, flags } = line;
  return {
    commit,
    domain,
    parent,
    tags: tags.get(commit) ?? [],
    takenAt: textOf(takenAt),
    message,
    host,
    plan,
    run,
    actor: { id: actor, name: fold.actors.get(actor)?.name ?? null },
    files,
    bytes,
    added,
    stored,
    flags,
    captures: line.captures.map((one) => ({
      collection: one.collection,
      files: one.files,
      bytes: one.bytes,
      expired: isExpired(fold, commit, one.collection),
    })),
    carried: line.carried.map((one) => ({ ...one, expired: isExpired(fold, one.commit, one.collection) })),
    entry,
  };
}

/** Full names of the tags that are on each commit now, in order. */
export function tagsByCommit(fold: Fold): Map<CommitId, string[]> {
  const byCommit = new Map<CommitId, string[]>();
  for (const { name, commit } of fold.tags.values()) {
    const names = byCommit.get(commit);
    if (names === undefined) byCommit.set(commit, [name]);
    else names.push(name);
  }
  for (const names of byCommit.values()) if (names.length > 1) names.sort();
  return byCommit;
}
