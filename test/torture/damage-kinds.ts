/** The entries that are damaged, one or more of each kind, and the regions of each. */
import type { Repository } from '@mbk/core';

/** What may be lost while an entry of the kind is damaged. */
export type Allowance =
  /** Nothing: a copy or a later state serves. */
  | 'nothing'
  /** Files that need the pack. */
  | 'dependents'
  /** Whatever only this index segment finds; repairing the index brings it all back. */
  | 'until-repaired'
  /** The snapshots that the entry is the record of. */
  | 'its-snapshots';

export interface DamageTarget {
  readonly kind: string;
  readonly key: string;
  readonly regions: readonly Region[];
  /** Keys of sound entries of the same kind; the first takes its place. */
  readonly siblings: readonly string[];
  readonly allowance: Allowance;
  /** Commits that `its-snapshots` means. */
  readonly commits: readonly string[];
}

export interface Region {
  readonly name: string;
  /** A byte of it. */
  readonly at: number;
}

export type Entries = ReadonlyMap<string, Uint8Array>;

/** The targets in a repository whose log has at least one state. */
export async function damageTargets(repository: Repository, entries: Entries): Promise<DamageTarget[]> {
  const { keys, log, slot } = repository;
  const { fold } = log;
  const lines = [...fold.lines.values()];
  const grant = [...fold.grants.values()].find(({ actor }) => actor === keys.actor.id)?.grant ?? '';
  const under = (prefix: string): string[] => [...entries.keys()].filter((key) => key.startsWith(prefix)).sort();
  const targets: DamageTarget[] = [];
  const add = (
    kind: string,
    key: string,
    allowance: Allowance,
    siblings: readonly string[],
    commits: readonly string[] = [],
  ): void => {
    const bytes = entries.get(key);
    if (bytes === undefined) throw new RangeError(`expected ${kind} at ${key}`);
    targets.push({
      kind,
      key,
      regions: regionsOf(key, bytes),
      siblings: siblings.filter((one) => one !== key),
      allowance,
      commits,
    });
  };

  for (const prefix of ['', 'copy/']) {
    const name = prefix === '' ? '' : 'copy of ';
    add(`${name}mbk.json`, `${prefix}mbk.json`, 'nothing', []);
    add(`${name}slot`, `${prefix}slots/${slot}`, 'nothing', under(`${prefix}slots/`));
    add(`${name}grant`, `${prefix}grants/${grant}`, 'nothing', under(`${prefix}grants/`));
  }
  const [first] = lines;
  const [last] = lines.slice(-1);
  if (first === undefined || last === undefined) throw new RangeError('expected snapshots');
  const logKeys = under('log/').reverse(); // the newest key sorts first
  const keyOf = (n: number): string => logKeys[n - 1] ?? '';
  add('oldest log entry', keyOf(1), 'nothing', [keyOf(2)]);
  add('old log entry', keyOf(first.n), 'nothing', [keyOf(first.n - 1)]);
  add(
    'newest log entry',
    keyOf(fold.n),
    'its-snapshots',
    [keyOf(fold.n - 1)],
    commitsOf(lines, ({ n }) => n === fold.n),
  );
  for (const key of under('state/')) add('state', key, 'nothing', []);
  for (const [kind, prefix] of [
    ['data pack', 'packs/'],
    ['meta pack', 'meta/'],
  ] as const) {
    const packs = under(prefix).sort((a, b) => sizeOf(entries, b) - sizeOf(entries, a));
    for (const key of [packs[0], packs.at(-1)]) if (key !== undefined) add(kind, key, 'dependents', packs);
  }
  const segments = under('index/');
  for (const key of segments.slice(0, 1)) add('index segment', key, 'until-repaired', segments);
  for (const line of [first, last]) {
    add(
      'catalogue bundle',
      `catalogue/${line.bundle}`,
      'its-snapshots',
      under('catalogue/'),
      commitsOf(lines, ({ bundle }) => bundle === line.bundle),
    );
  }
  return targets;
}

function commitsOf<Line extends { readonly to: string }>(
  lines: readonly Line[],
  isMeant: (line: Line) => boolean,
): string[] {
  return lines.filter(isMeant).map(({ to }) => to);
}

function sizeOf(entries: Entries, key: string): number {
  return entries.get(key)?.length ?? 0;
}

/** Places in an entry by what docs/format.md says stands there. */
function regionsOf(key: string, bytes: Uint8Array): Region[] {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  if (/^(?:packs|meta)\//.test(key)) {
    const footer = length - 16 - view.getUint32(length - 16, true);
    return [
      { name: 'magic', at: 1 },
      { name: 'repository id', at: 10 },
      { name: 'keyset id', at: 30 },
      { name: 'ephemeral key', at: 50 },
      { name: 'first frame', at: 100 },
      { name: 'middle frame', at: Math.floor((72 + footer) / 2) },
      { name: 'last frame', at: footer - 1 },
      { name: 'start of the footer', at: footer },
      { name: 'end of the footer', at: length - 17 },
      { name: 'footer length', at: length - 16 },
      { name: 'zeros of the trailer', at: length - 8 },
      { name: 'end magic', at: length - 1 },
    ];
  }
  if (key.startsWith('log/')) {
    return [
      { name: 'magic', at: 1 },
      { name: 'repository id', at: 10 },
      { name: 'number', at: 24 },
      { name: 'previous hash', at: 40 },
      { name: 'salt', at: 70 },
      { name: 'section table', at: 96 },
      { name: 'box', at: 130 },
      { name: 'signature', at: length - 60 },
      { name: 'trailer hash', at: length - 1 },
    ];
  }
  if (/^(?:state|catalogue|index)\//.test(key)) {
    return [
      { name: 'magic', at: 1 },
      { name: 'repository id', at: 10 },
      { name: 'salt', at: 50 },
      { name: 'first box', at: 80 },
      { name: 'middle', at: Math.floor(length / 2) },
      { name: 'end', at: length - 1 },
    ];
  }
  // JSON: every eighth byte, so that each field is met.
  return Array.from({ length: Math.ceil(length / 64) }, (_, index) => ({
    name: `byte ${index * 64}`,
    at: index * 64,
  })).concat({ name: 'end', at: length - 2 });
}
