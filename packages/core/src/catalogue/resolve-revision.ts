/** From a revision to the snapshot that it means; pure over the log's head lines and tags. */
import { MbkError } from '../errors.ts';
import type { CommitId } from '../format/ids.ts';
import { calendarOf } from './calendar.ts';
import { headsOf, type CatalogueLine, type CatalogueView } from './catalogue-view.ts';
import { momentOf } from './moment.ts';
import { parseRevision, type Revision } from './revision.ts';
import { suggestNames } from './suggest-names.ts';

export interface ResolveOptions {
  /** The repository's time zone, an IANA name. */
  readonly timezone: string;
  /** What `3 days ago` counts from, milliseconds since 1970. */
  readonly now: number;
}

export interface ResolvedRevision<Line extends CatalogueLine = CatalogueLine> {
  readonly commit: CommitId;
  readonly domain: string;
  readonly line: Line;
  /** What followed the colon. */
  readonly path: string | undefined;
}

interface ViewOf<Line extends CatalogueLine> extends CatalogueView {
  readonly lines: readonly Line[];
}

/**
 * The snapshot that `text` means.
 *
 * A domain wins over a tag, and both over the start of a commit id. Time counts by `takenAt`, order by the log.
 * Errors: `revision-unknown` with `details.suggestions` (names that are near), `revision-ambiguous` with
 * `details.candidates` ({commit, domain, takenAt}, at most 10).
 */
export function resolveRevision<Line extends CatalogueLine>(
  view: ViewOf<Line>,
  text: string,
  options: ResolveOptions,
): ResolvedRevision<Line> {
  const revision = parseRevision(text);
  const start = revision.moment === undefined ? findNamed(view, revision) : findAt(view, revision, options);
  const line = goBack(view, start, revision.back, text);
  return { commit: line.to, domain: line.domain, line, path: revision.path };
}

function findNamed<Line extends CatalogueLine>(view: ViewOf<Line>, { name }: Revision): Line {
  const head = view.lines.findLast((line) => line.domain === name);
  if (head !== undefined) return head;
  for (const tag of view.tags) {
    if (tag.name === name) return lineOf(view, tag.commit, name);
  }
  const prefix = name.toLowerCase();
  if (!/^[0-9a-f]{4,40}$/.test(prefix)) throw unknown(view, name);
  const byCommit = new Map<CommitId, Line>();
  for (const line of view.lines) {
    if (line.to.startsWith(prefix) && !byCommit.has(line.to)) byCommit.set(line.to, line);
  }
  const found = [...byCommit.values()];
  const [only] = found;
  if (only === undefined) throw unknown(view, name);
  if (found.length === 1) return only;
  const candidates = found.slice(0, 10).map(({ to, domain, line }) => ({ commit: to, domain, takenAt: line.takenAt }));
  const shown = candidates.map(({ commit, domain }) => `${commit.slice(0, prefix.length + 8)} (${domain})`).join(', ');
  throw new MbkError('revision-ambiguous', `${name} is the start of ${found.length} commits: ${shown}`, {
    details: { revision: name, candidates },
  });
}

function findAt<Line extends CatalogueLine>(
  view: ViewOf<Line>,
  revision: Revision,
  { timezone, now }: ResolveOptions,
): Line {
  const { name, moment = '' } = revision;
  if (!view.lines.some((line) => line.domain === name)) {
    const tag = [...view.tags].some((one) => one.name === name);
    if (!tag) throw unknown(view, name);
    throw new MbkError('revision-unknown', `${name} is a tag; a time can follow a domain only`, {
      details: { revision: name, suggestions: [name.split('/', 1)[0]] },
    });
  }
  const limit = momentOf(moment, { calendar: calendarOf(timezone), now });
  if (limit === undefined) {
    throw new MbkError('revision-unknown', `${JSON.stringify(moment)} is not a date or time`, {
      details: { revision: name, moment, suggestions: [] },
      remedy: 'Write 2025-01-31, {2025-01-31 14:00}, {3 days ago} or yesterday.',
    });
  }
  const line = view.lines.findLast((one) => one.domain === name && one.line.takenAt <= limit);
  if (line !== undefined) return line;
  const first = view.lines.find((one) => one.domain === name);
  throw new MbkError('revision-unknown', `${name} has no snapshot as old as ${moment}`, {
    details: { revision: name, moment, limit, oldest: first?.line.takenAt, suggestions: [] },
  });
}

function goBack<Line extends CatalogueLine>(view: ViewOf<Line>, start: Line, steps: number, text: string): Line {
  if (steps === 0) return start;
  const chain = view.lines.filter((line) => line.domain === start.domain);
  const index = chain.indexOf(start);
  const line = chain[index - steps];
  if (line !== undefined) return line;
  throw new MbkError(
    'revision-unknown',
    `${text} goes back ${steps} snapshots; there are ${index} before ${start.to.slice(0, 12)}`,
    {
      details: { revision: text, suggestions: [] },
    },
  );
}

function lineOf<Line extends CatalogueLine>(view: ViewOf<Line>, commit: CommitId, name: string): Line {
  const line = view.lines.find(({ to }) => to === commit);
  if (line !== undefined) return line;
  throw new MbkError('revision-unknown', `Tag ${name} is of commit ${commit}, which the log does not know`, {
    details: { revision: name, commit, suggestions: [] },
  });
}

/** Domains that are named to who wrote something else altogether. */
const mostDomains = 5;

function unknown(view: CatalogueView, name: string): MbkError {
  const tags = [...view.tags].map((tag) => tag.name);
  const domains = [...headsOf(view).keys()];
  const suggestions = suggestNames(name, [...domains, ...tags]);
  return new MbkError('revision-unknown', `no snapshot, tag or domain is called ${name}`, {
    details: { revision: name, suggestions },
    ...remedyFor(suggestions, domains.sort().slice(0, mostDomains)),
  });
}

/** Whoever comes from another program writes `latest` or `HEAD`: here that is the name of a domain. */
function remedyFor(suggestions: readonly string[], domains: readonly string[]): { readonly remedy?: string } {
  if (suggestions.length > 0) return { remedy: `Did you mean ${suggestions.join(' or ')}?` };
  if (domains.length === 0) return {};
  return { remedy: `The newest snapshot of a domain has its name: ${domains.join(', ')}. See \`mbk log\` for others.` };
}
