/**
 * Branches and tags of an exported catalogue, as Git's `packed-refs`: one file, replaced as a whole, so that an export
 * moves from one consistent state to the next.
 */
import { asCommitId, asGitObjectId, isHex, type CommitId, type GitObjectId } from '../format/ids.ts';
import { utf8 } from '../format/bytes.ts';
import { headsOf, type CatalogueTag, type CatalogueView } from './catalogue-view.ts';
import { isDomainName, isTagName } from './names.ts';

export interface GitReferences {
  /** Head commit of each domain. */
  readonly branches: ReadonlyMap<string, CommitId>;
  /** Tag object, and the commit it is of, by full name. */
  readonly tags: ReadonlyMap<string, { readonly object: GitObjectId; readonly commit: CommitId }>;
}

/**
 * History without what Git could not hold: domains and tags whose names are no references, tags of commits that the log
 * does not know. Only a faulty or hostile writer makes those; `skipped` names them.
 */
export function exportableView(view: CatalogueView): {
  readonly view: CatalogueView;
  readonly skipped: readonly string[];
} {
  const lines = view.lines.filter(({ domain }) => isDomainName(domain));
  const commits = new Set(lines.map(({ to }) => to));
  const isExportable = ({ domain, name, commit }: CatalogueTag): boolean =>
    isTagName(domain, name) && commits.has(commit);
  const tags = [...view.tags];
  const bad = [...headsOf(view).keys()].filter((domain) => !isDomainName(domain));
  for (const tag of tags) if (!isExportable(tag)) bad.push(tag.name);
  return { view: { lines, tags: tags.filter(isExportable) }, skipped: bad };
}

/** Heads and tags of a view. */
export function referencesOf(view: CatalogueView): GitReferences {
  const branches = new Map([...headsOf(view)].map(([domain, line]) => [domain, line.to]));
  const tags = new Map([...view.tags].map(({ name, object, commit }) => [name, { object, commit }]));
  return { branches, tags };
}

/** The bytes of `packed-refs`, sorted as Git wants them. */
export function encodeReferences({ branches, tags }: GitReferences): Uint8Array {
  const rows = [...branches].map(([domain, commit]) => ({
    name: `refs/heads/${domain}`,
    text: `${commit} refs/heads/${domain}\n`,
  }));
  for (const [tag, { object, commit }] of tags) {
    rows.push({ name: `refs/tags/${tag}`, text: `${object} refs/tags/${tag}\n^${commit}\n` });
  }
  rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  return utf8(`# pack-refs with: peeled fully-peeled sorted \n${rows.map(({ text }) => text).join('')}`);
}

/** What `packed-refs` of an earlier export names; other lines are passed over. */
export function decodeReferences(text: string): GitReferences {
  const branches = new Map<string, CommitId>();
  const tags = new Map<string, { object: GitObjectId; commit: CommitId }>();
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    const [id, name = ''] = line.split(' ');
    if (!isHex(id, 20)) return;
    const peeled = lines[index + 1]?.slice(1);
    if (name.startsWith('refs/heads/')) branches.set(name.slice(11), asCommitId(id));
    if (name.startsWith('refs/tags/') && isHex(peeled, 20)) {
      tags.set(name.slice(10), { object: asGitObjectId(id), commit: asCommitId(peeled) });
    }
  });
  return { branches, tags };
}
