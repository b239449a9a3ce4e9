/**
 * Lines and tags of a fold by columns, for the copy that a host keeps (`log/fold-copy.ts`): as rows of JSON ten thousand
 * lines take a tenth of a second to parse and to check.
 */
import type { ActorId, BlobId, CommitId, EntryId, GitObjectId } from '../format/ids.ts';
import type { Line, TagRow } from '../format/log-state.ts';
import type { ColumnReader, ColumnWriter, IdColumn, NumberColumn, TextColumn } from './columns.ts';
import { PersistentList } from './persistent-map.ts';

export interface LineColumns {
  readonly count: number;
  readonly domain: TextColumn;
  readonly from: IdColumn;
  readonly to: IdColumn;
  readonly bundle: IdColumn;
  readonly tag: TextColumn;
  readonly tagObject: IdColumn;
  readonly n: NumberColumn;
  readonly at: NumberColumn;
  readonly actor: TextColumn;
  readonly takenAt: NumberColumn;
  readonly message: TextColumn;
  readonly host: TextColumn;
  readonly plan: TextColumn;
  readonly run: TextColumn;
  readonly files: NumberColumn;
  readonly bytes: NumberColumn;
  readonly added: NumberColumn;
  readonly stored: NumberColumn;
  /** A list as JSON; none where it is empty, as it mostly is. */
  readonly flags: TextColumn;
  /** Where the captures of each line begin in the columns below, and behind them where the last ones end. */
  readonly captures: NumberColumn;
  readonly captureCollection: TextColumn;
  readonly captureTree: IdColumn;
  readonly captureFiles: NumberColumn;
  readonly captureBytes: NumberColumn;
  /** The same of what was carried. */
  readonly carried: NumberColumn;
  readonly carriedCommit: IdColumn;
  readonly carriedCollection: TextColumn;
}

export interface TagColumns {
  readonly count: number;
  readonly domain: TextColumn;
  readonly name: TextColumn;
  readonly commit: IdColumn;
  readonly object: IdColumn;
  readonly bundle: IdColumn;
  readonly n: NumberColumn;
  readonly at: NumberColumn;
}

export function writeLines(writer: ColumnWriter, rows: readonly Line[]): LineColumns {
  const lines = rows.map(({ line }) => line);
  const captures = lines.flatMap((line) => line.captures);
  const carried = lines.flatMap((line) => line.carried);
  return {
    count: rows.length,
    domain: writer.texts(rows.map(({ domain }) => domain)),
    from: writer.gitIds(rows.map(({ from }) => from)),
    to: writer.gitIds(rows.map(({ to }) => to)),
    bundle: writer.hashes(rows.map(({ bundle }) => bundle)),
    tag: writer.texts(rows.map(({ tag }) => tag)),
    tagObject: writer.gitIds(rows.map(({ tagObject }) => tagObject)),
    n: writer.numbers(rows.map(({ n }) => n)),
    at: writer.numbers(rows.map(({ at }) => at)),
    actor: writer.texts(rows.map(({ actor }) => actor)),
    takenAt: writer.numbers(lines.map(({ takenAt }) => takenAt)),
    message: writer.texts(lines.map(({ message }) => message)),
    host: writer.texts(lines.map(({ host }) => host)),
    plan: writer.texts(lines.map(({ plan }) => plan)),
    run: writer.texts(lines.map(({ run }) => run)),
    files: writer.numbers(lines.map(({ files }) => files)),
    bytes: writer.numbers(lines.map(({ bytes }) => bytes)),
    added: writer.numbers(lines.map(({ added }) => added)),
    stored: writer.numbers(lines.map(({ stored }) => stored)),
    flags: writer.texts(lines.map(({ flags }) => (flags.length === 0 ? null : JSON.stringify(flags)))),
    captures: writer.numbers(startsOf(lines.map((line) => line.captures.length))),
    captureCollection: writer.texts(captures.map(({ collection }) => collection)),
    captureTree: writer.hashes(captures.map(({ tree }) => tree)),
    captureFiles: writer.numbers(captures.map(({ files }) => files)),
    captureBytes: writer.numbers(captures.map(({ bytes }) => bytes)),
    carried: writer.numbers(startsOf(lines.map((line) => line.carried.length))),
    carriedCommit: writer.gitIds(carried.map(({ commit }) => commit)),
    carriedCollection: writer.texts(carried.map(({ collection }) => collection)),
  };
}

/** Each line is made when it is looked at: `mbk log` needs them one after the other, and other commands few. */
export function readLines(columns: LineColumns, cells: ColumnReader): PersistentList<Line> {
  return PersistentList.later(columns.count, (row) => ({
    domain: cells.text(columns.domain, row),
    from: cells.idOrNull<CommitId>(columns.from, row),
    to: cells.id<CommitId>(columns.to, row),
    bundle: cells.id<EntryId>(columns.bundle, row),
    tag: cells.textOrNull(columns.tag, row),
    tagObject: cells.idOrNull<GitObjectId>(columns.tagObject, row),
    line: {
      takenAt: cells.number(columns.takenAt, row),
      message: cells.text(columns.message, row),
      host: cells.text(columns.host, row),
      plan: cells.textOrNull(columns.plan, row),
      run: cells.text(columns.run, row),
      files: cells.number(columns.files, row),
      bytes: cells.number(columns.bytes, row),
      added: cells.number(columns.added, row),
      stored: cells.number(columns.stored, row),
      flags: flagsOf(cells.textOrNull(columns.flags, row)),
      captures: partOf(columns.captures, row, cells, (capture) => ({
        collection: cells.text(columns.captureCollection, capture),
        tree: cells.id<BlobId>(columns.captureTree, capture),
        files: cells.number(columns.captureFiles, capture),
        bytes: cells.number(columns.captureBytes, capture),
      })),
      carried: partOf(columns.carried, row, cells, (carried) => ({
        commit: cells.id<CommitId>(columns.carriedCommit, carried),
        collection: cells.text(columns.carriedCollection, carried),
      })),
    },
    n: cells.number(columns.n, row),
    at: cells.number(columns.at, row),
    actor: cells.text(columns.actor, row) as ActorId,
  }));
}

export function writeTags(writer: ColumnWriter, tags: readonly TagRow[]): TagColumns {
  return {
    count: tags.length,
    domain: writer.texts(tags.map(({ domain }) => domain)),
    name: writer.texts(tags.map(({ name }) => name)),
    commit: writer.gitIds(tags.map(({ commit }) => commit)),
    object: writer.gitIds(tags.map(({ object }) => object)),
    bundle: writer.hashes(tags.map(({ bundle }) => bundle)),
    n: writer.numbers(tags.map(({ n }) => n)),
    at: writer.numbers(tags.map(({ at }) => at)),
  };
}

export function readTags(columns: TagColumns, cells: ColumnReader): PersistentList<TagRow> {
  return PersistentList.later(columns.count, (row) => ({
    domain: cells.text(columns.domain, row),
    name: cells.text(columns.name, row),
    commit: cells.id<CommitId>(columns.commit, row),
    object: cells.id<GitObjectId>(columns.object, row),
    bundle: cells.id<EntryId>(columns.bundle, row),
    n: cells.number(columns.n, row),
    at: cells.number(columns.at, row),
  }));
}

function flagsOf(text: string | null): readonly string[] {
  return text === null ? [] : (JSON.parse(text) as string[]);
}

/** Sums of the counts before each, and of all. */
function startsOf(counts: readonly number[]): number[] {
  const starts = [0];
  for (const [row, count] of counts.entries()) starts.push((starts[row] ?? 0) + count);
  return starts;
}

/** The rows that belong to one, of columns where those of all stand one after the other. */
function partOf<Part>(starts: number, row: number, cells: ColumnReader, make: (place: number) => Part): Part[] {
  const parts: Part[] = [];
  const end = cells.number(starts, row + 1);
  for (let place = cells.number(starts, row); place < end; place += 1) parts.push(make(place));
  return parts;
}
