/**
 * Lines and tags of a fold by columns, for the copy that a host keeps (`log/fold-copy.ts`).
 *
 * As rows of JSON ten thousand lines take a tenth of a second to parse and to check. Here ids of one length stand in one
 * long text, of which rows have slices; what repeats, such as a host, stands once. Only this host reads what it wrote, and
 * by its hash, so nothing is checked again.
 */
import type { ActorId, BlobId, CommitId, EntryId, GitObjectId } from '../format/ids.ts';
import type { Capture, LineCapture } from '../format/log-operations.ts';
import type { Line, TagRow } from '../format/log-state.ts';

/** Ids of one length, one after the other; dashes where there is none. */
type Ids = { readonly width: number; readonly text: string };

/** Values that repeat, each once, and which of them each row has. */
type Words = { readonly values: readonly (string | null)[]; readonly at: readonly number[] };

export type LineColumns = {
  readonly count: number;
  readonly domain: Words;
  readonly from: Ids;
  readonly to: Ids;
  readonly bundle: Ids;
  readonly tag: readonly (string | null)[];
  readonly tagObject: Ids;
  readonly n: readonly number[];
  readonly at: readonly number[];
  readonly actor: Words;
  readonly takenAt: readonly number[];
  readonly message: Words;
  readonly host: Words;
  readonly plan: Words;
  readonly run: Words;
  readonly files: readonly number[];
  readonly bytes: readonly number[];
  readonly added: readonly number[];
  readonly stored: readonly number[];
  readonly flags: readonly (readonly string[])[];
  /** How many captures each line has; those of all lines stand in the columns below. */
  readonly captures: readonly number[];
  readonly captureCollection: Words;
  readonly captureTree: Ids;
  readonly captureFiles: readonly number[];
  readonly captureBytes: readonly number[];
  readonly carried: readonly number[];
  readonly carriedCommit: Ids;
  readonly carriedCollection: Words;
};

export type TagColumns = {
  readonly count: number;
  readonly domain: Words;
  readonly name: readonly string[];
  readonly commit: Ids;
  readonly object: Ids;
  readonly bundle: Ids;
  readonly n: readonly number[];
  readonly at: readonly number[];
};

export function columnsOfLines(lines: readonly Line[]): LineColumns {
  const captures = lines.flatMap(({ line }) => line.captures);
  const carried = lines.flatMap(({ line }) => line.carried);
  return {
    count: lines.length,
    domain: wordsOf(lines.map(({ domain }) => domain)),
    from: idsOf(lines.map(({ from }) => from)),
    to: idsOf(lines.map(({ to }) => to)),
    bundle: idsOf(lines.map(({ bundle }) => bundle)),
    tag: lines.map(({ tag }) => tag),
    tagObject: idsOf(lines.map(({ tagObject }) => tagObject)),
    n: lines.map(({ n }) => n),
    at: lines.map(({ at }) => at),
    actor: wordsOf(lines.map(({ actor }) => actor)),
    takenAt: lines.map(({ line }) => line.takenAt),
    message: wordsOf(lines.map(({ line }) => line.message)),
    host: wordsOf(lines.map(({ line }) => line.host)),
    plan: wordsOf(lines.map(({ line }) => line.plan)),
    run: wordsOf(lines.map(({ line }) => line.run)),
    files: lines.map(({ line }) => line.files),
    bytes: lines.map(({ line }) => line.bytes),
    added: lines.map(({ line }) => line.added),
    stored: lines.map(({ line }) => line.stored),
    flags: lines.map(({ line }) => line.flags),
    captures: lines.map(({ line }) => line.captures.length),
    captureCollection: wordsOf(captures.map(({ collection }) => collection)),
    captureTree: idsOf(captures.map(({ tree }) => tree)),
    captureFiles: captures.map(({ files }) => files),
    captureBytes: captures.map(({ bytes }) => bytes),
    carried: lines.map(({ line }) => line.carried.length),
    carriedCommit: idsOf(carried.map(({ commit }) => commit)),
    carriedCollection: wordsOf(carried.map(({ collection }) => collection)),
  };
}

export function linesOfColumns(columns: LineColumns): Line[] {
  const lines: Line[] = [];
  let capture = 0;
  let carriedOne = 0;
  for (let row = 0; row < columns.count; row += 1) {
    const captures: LineCapture[] = [];
    for (const end = capture + numberAt(columns.captures, row); capture < end; capture += 1) {
      captures.push({
        collection: wordAt(columns.captureCollection, capture) ?? '',
        tree: idAt<BlobId>(columns.captureTree, capture),
        files: numberAt(columns.captureFiles, capture),
        bytes: numberAt(columns.captureBytes, capture),
      });
    }
    const carried: Capture[] = [];
    for (const end = carriedOne + numberAt(columns.carried, row); carriedOne < end; carriedOne += 1) {
      carried.push({
        commit: idAt<CommitId>(columns.carriedCommit, carriedOne),
        collection: wordAt(columns.carriedCollection, carriedOne) ?? '',
      });
    }
    lines.push({
      domain: wordAt(columns.domain, row) ?? '',
      from: idOrNull<CommitId>(columns.from, row),
      to: idAt<CommitId>(columns.to, row),
      bundle: idAt<EntryId>(columns.bundle, row),
      tag: columns.tag[row] ?? null,
      tagObject: idOrNull<GitObjectId>(columns.tagObject, row),
      line: {
        takenAt: numberAt(columns.takenAt, row),
        message: wordAt(columns.message, row) ?? '',
        host: wordAt(columns.host, row) ?? '',
        plan: wordAt(columns.plan, row),
        run: wordAt(columns.run, row) ?? '',
        files: numberAt(columns.files, row),
        bytes: numberAt(columns.bytes, row),
        added: numberAt(columns.added, row),
        stored: numberAt(columns.stored, row),
        flags: columns.flags[row] ?? [],
        captures,
        carried,
      },
      n: numberAt(columns.n, row),
      at: numberAt(columns.at, row),
      actor: (wordAt(columns.actor, row) ?? '') as ActorId,
    });
  }
  return lines;
}

export function columnsOfTags(tags: readonly TagRow[]): TagColumns {
  return {
    count: tags.length,
    domain: wordsOf(tags.map(({ domain }) => domain)),
    name: tags.map(({ name }) => name),
    commit: idsOf(tags.map(({ commit }) => commit)),
    object: idsOf(tags.map(({ object }) => object)),
    bundle: idsOf(tags.map(({ bundle }) => bundle)),
    n: tags.map(({ n }) => n),
    at: tags.map(({ at }) => at),
  };
}

export function tagsOfColumns(columns: TagColumns): TagRow[] {
  return Array.from({ length: columns.count }, (_, row) => ({
    domain: wordAt(columns.domain, row) ?? '',
    name: columns.name[row] ?? '',
    commit: idAt<CommitId>(columns.commit, row),
    object: idAt<GitObjectId>(columns.object, row),
    bundle: idAt<EntryId>(columns.bundle, row),
    n: numberAt(columns.n, row),
    at: numberAt(columns.at, row),
  }));
}

function idsOf(ids: readonly (string | null)[]): Ids {
  const width = ids.find((id) => id !== null)?.length ?? 0;
  return { width, text: ids.map((id) => id ?? '-'.repeat(width)).join('') };
}

function idAt<Id extends string>({ width, text }: Ids, row: number): Id {
  return text.slice(row * width, (row + 1) * width) as Id;
}

function idOrNull<Id extends string>(ids: Ids, row: number): Id | null {
  const at = row * ids.width;
  return ids.width === 0 || ids.text.startsWith('-', at) ? null : idAt<Id>(ids, row);
}

function wordsOf(words: readonly (string | null)[]): Words {
  const values = [...new Set(words)];
  const places = new Map(values.map((value, place) => [value, place]));
  return { values, at: words.map((word) => places.get(word) ?? 0) };
}

function wordAt({ values, at }: Words, row: number): string | null {
  return values[numberAt(at, row)] ?? null;
}

function numberAt(numbers: readonly number[], row: number): number {
  return numbers[row] ?? 0;
}
