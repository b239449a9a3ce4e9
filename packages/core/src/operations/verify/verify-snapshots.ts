/**
 * Commits, manifests and tags as the log names them, read from the storage (docs/format.md, Catalogue).
 */
import { viewOfFold } from '../../catalogue/catalogue-view.ts';
import { openCatalogue, type Catalogue, type Snapshot } from '../../catalogue/open-catalogue.ts';
import { bundleKey } from '../../catalogue/seal-bundle.ts';
import type { MbkError } from '../../errors.ts';
import type { EntryId } from '../../format/ids.ts';
import { limits } from '../../format/limits.ts';
import type { Line } from '../../format/log-state.ts';
import { tagsOf } from '../../log/fold.ts';
import { cachedGet } from '../../pack/entry-cache.ts';
import { isBadContent } from '../bad-content.ts';
import type { Verification } from './verification.ts';

/** History read past the local cache: a copy there says nothing about the storage. */
export function storedCatalogue({ repository, fold, signal }: Verification): Catalogue {
  const { backend, keys } = repository;
  let last: { readonly key: string; readonly bytes: Uint8Array } | undefined;
  return openCatalogue({
    keys,
    view: viewOfFold(fold),
    async get(key) {
      // A snapshot and its tag stand in one bundle and are asked for one after the other.
      if (last?.key !== key)
        last = { key, bytes: await cachedGet(backend, undefined, key, { maxBytes: limits.documentBytes, signal }) };
      return last.bytes;
    },
  });
}

/** The snapshot of a head line; undefined, and a finding, when it cannot be had. */
export async function verifySnapshot(
  run: Verification,
  catalogue: Catalogue,
  line: Line,
): Promise<Snapshot | undefined> {
  let snapshot: Snapshot;
  try {
    snapshot = await catalogue.readSnapshot(line.to, { signal: run.signal });
    for (const _ of snapshot.assets()) void _; // decoding is the check
  } catch (error) {
    if (!isBadContent(error)) throw error;
    tellBundle(run, line, error);
    return undefined;
  }
  run.counts.snapshots += 1;
  const { parentProblem } = snapshot;
  if (parentProblem !== undefined) {
    const message = `the parent of commit ${line.to} cannot be compared with what the commit says of it: ${parentProblem.message}`;
    run.found.add({ code: 'snapshot-wrong', severity: 'warning', commit: line.to, message });
  }
  for (const problem of contradictions(snapshot, line)) {
    run.found.add({
      code: 'snapshot-wrong',
      severity: 'error',
      commit: line.to,
      message: `snapshot.json of commit ${line.to} ${problem}`,
    });
  }
  return snapshot;
}

function tellBundle({ repository, found }: Verification, { to, domain, tag, bundle }: Line, error: MbkError): void {
  // Retention and prune leave the bundles of history alone: none may be missing.
  const code = error.code === 'entry-absent' ? 'bundle-absent' : 'bundle-damaged';
  const message = `snapshot ${tag ?? to.slice(0, 12)} of ${domain} cannot be read from ${repository.backend.name}: ${error.message}`;
  found.add({ code, severity: 'error', key: bundleKey(bundle), commit: to, message });
}

/** Where the manifest and the log's line of a snapshot do not say the same, or the manifest's sums are not its own. */
function contradictions({ manifest }: Snapshot, { line }: Line): string[] {
  const problems: string[] = [];
  const taken = manifest.collections.filter(({ commit }) => commit === null);
  const carried = manifest.collections.filter(({ commit }) => commit !== null);
  const key = ({ name, tree, files, bytes }: (typeof taken)[number]): string => `${name} ${tree} ${files} ${bytes}`;
  const lineTaken = line.captures.map(
    ({ collection, tree, files, bytes }) => `${collection} ${tree} ${files} ${bytes}`,
  );
  if (!isSameSet(taken.map(key), lineTaken)) problems.push('lists other captures than the log');
  const lineCarried = line.carried.map(({ collection, commit }) => `${collection} ${commit}`);
  if (
    !isSameSet(
      carried.map(({ name, commit }) => `${name} ${commit ?? ''}`),
      lineCarried,
    )
  )
    problems.push('carries other collections than the log says');
  for (const field of ['files', 'directories', 'symlinks', 'bytes'] as const) {
    const sum = manifest.collections.reduce((total, collection) => total + collection[field], 0);
    if (sum !== manifest.totals[field])
      problems.push(`says ${manifest.totals[field]} ${field}, its collections have ${sum}`);
  }
  for (const field of ['files', 'bytes'] as const) {
    if (manifest.totals[field] !== line[field])
      problems.push(`says ${manifest.totals[field]} ${field}, the log ${line[field]}`);
  }
  return problems;
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.toSorted().join('\n') === b.toSorted().join('\n');
}

/** Every tag of the log: its object says what the log says. Gives the ids of their bundles. */
export async function verifyTags(
  run: Verification,
  catalogue: Catalogue,
  only: ReadonlySet<string> | undefined,
): Promise<ReadonlySet<EntryId>> {
  const bundles = new Set<EntryId>();
  for (const { name, commit, bundle } of tagsOf(run.fold).values()) {
    bundles.add(bundle);
    if (only !== undefined && !only.has(commit)) continue;
    run.counts.tags += 1;
    try {
      await catalogue.readTag(name, { signal: run.signal });
    } catch (error) {
      if (!isBadContent(error)) throw error;
      const key = bundleKey(bundle);
      run.found.add({
        code: 'tag-wrong',
        severity: 'error',
        key,
        commit,
        message: `tag ${name} cannot be read: ${error.message}`,
      });
    }
    if (run.fold.lineOfCommit.get(commit) !== undefined) continue;
    run.found.add({
      code: 'tag-wrong',
      severity: 'error',
      commit,
      message: `tag ${name} is of commit ${commit}, which the log does not know`,
    });
  }
  return bundles;
}
