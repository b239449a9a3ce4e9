/**
 * Remembers what was read from a source, so that files that did not change are not read again.
 *
 * One for each repository and source root, used by any number of processes at once. A row says: the file that looked
 * like this had this content, and the newest capture of its collection holds it. Losing rows costs time only, so no
 * error of the cache is one of the snapshot: it forgets, says so in `problem`, and the files are read.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { ByteString } from '../format/byte-name.ts';
import { asCommitId, isHex, type CommitId } from '../format/ids.ts';
import { idBound, idSet } from './id-set.ts';
import type { SourceFacts } from './source-facts.ts';
import { decodeStatRecord, encodeStatRecord, statSum, type ReadFile } from './stat-record.ts';
import { rowsAhead } from './rows-ahead.ts';
import { isDamage, isSqliteError, openNewStatDatabase, openStatDatabase, type StatDatabase } from './stat-database.ts';

export { hasStatDatabase as hasStatCache } from './stat-database.ts';
export type { AssetFacts, ReadFile } from './stat-record.ts';

/** A collection of a domain. */
export interface CollectionRef {
  readonly domain: string;
  readonly collection: string;
}

/** A collection as one run took it, and what made it part of history. */
export interface CaptureRef extends CollectionRef {
  readonly commit: CommitId;
  /** Number of the log entry. */
  readonly n: number;
}

export interface KnownFile extends ReadFile {
  /** Holds the content as long as it is not expired; the same object for all files of the capture. */
  readonly capture: CaptureRef;
  /** What names it in the database. */
  readonly row: { readonly database: number; readonly id: number };
}

export interface StatCache {
  /** What the file at `path` holds, if it looks as it did when it was read and could not have changed unseen. */
  lookup(path: ByteString, facts: SourceFacts): KnownFile | undefined;
  /** Keeps what `lookup` found at `path`, as part of what this run takes of `collection`. */
  keep(path: ByteString, known: KnownFile, collection: CollectionRef): void;
  /** Remembers a file that was read; not for one that changed meanwhile. */
  record(path: ByteString, file: ReadFile, collection: CollectionRef): void;
  /**
   * Makes what was kept and recorded the rows of `captures`, all at once; other rows of their collections go. Call it
   * when the log entry of the run is stored, and close the cache then; without it nothing of the run is remembered.
   */
  commit(captures: readonly CaptureRef[]): void;
  close(): void;
  /** Why something was not remembered; undefined as long as all is well. */
  readonly problem: string | undefined;
}

export interface StatCacheOptions {
  /** In the state folder; made when it is not there. */
  readonly folder: string;
  /** Of the repository and the source root: letters, digits and `-`. */
  readonly name: string;
  /** How long to wait for other processes, in milliseconds; 10,000 unless given. */
  readonly timeoutMs?: number;
}

/** Facts say nothing if they were taken so soon after a change that another one could have left them as they are. */
const racyMs = 2000;

export function openStatCache({ folder, name, timeoutMs = 10_000 }: StatCacheOptions): StatCache {
  const databaseOptions = { folder, name, timeoutMs };
  let problem: string | undefined;
  let rows: Rows | undefined;
  /** Of the database that was opened last. */
  let number: number | undefined;

  /** Runs `call` on the database; on an error of it goes on with a new database, or none. */
  const attempt = <T>(call: (rows: Rows) => T): T | undefined => {
    if (rows === undefined) return undefined;
    try {
      return call(rows);
    } catch (error) {
      fail(error);
      return undefined;
    }
  };

  const fail = (error: unknown): void => {
    if (!isSqliteError(error) && !isDamage(error) && !isSystemError(error)) throw error;
    const isFirst = problem === undefined;
    problem ??= `the stat cache failed: ${error instanceof Error ? error.message : String(error)}`;
    rows?.close();
    rows = undefined;
    const damaged = number;
    if (isFirst && isDamage(error) && damaged !== undefined) start(() => openNewStatDatabase(databaseOptions, damaged));
  };

  const start = (openDatabase: () => StatDatabase): void => {
    let opened: StatDatabase | undefined;
    try {
      opened = openDatabase();
      number = opened.number;
      rows = openRows(opened);
    } catch (error) {
      opened?.database.close();
      fail(error);
    }
  };

  start(() => openStatDatabase(databaseOptions));

  return {
    get problem() {
      return problem;
    },

    lookup: (path, facts) => attempt((open) => open.find(path, facts)),

    keep(path, known, collection) {
      const { capture } = known;
      if (capture.domain === collection.domain && capture.collection === collection.collection) {
        attempt((open) => open.keep(known));
      } else {
        attempt((open) => open.add(path, known, collection));
      }
    },

    record(path, file, collection) {
      const { facts, takenMs } = file;
      if (takenMs - Math.max(facts.mtimeMs, facts.ctimeMs) < racyMs) return;
      attempt((open) => open.add(path, file, collection));
    },

    commit: (captures) => attempt((open) => open.commit(captures)),

    close() {
      rows?.close();
      rows = undefined;
    },
  };
}

/** What a run does with one open database. */
interface Rows {
  find(path: ByteString, facts: SourceFacts): KnownFile | undefined;
  keep(known: KnownFile): void;
  add(path: ByteString, file: ReadFile, collection: CollectionRef): void;
  /** The last call but `close`, which takes back what it did when it failed. */
  commit(captures: readonly CaptureRef[]): void;
  close(): void;
}

function openRows({ database, number }: StatDatabase): Rows {
  // In the connection's own temporary database: what a run did not commit, no other process sees, and nothing is left.
  database.exec(
    'CREATE TEMP TABLE added (path TEXT NOT NULL, collection TEXT NOT NULL, record TEXT NOT NULL, sum INTEGER NOT NULL)',
  );
  // One reading transaction for all lookups: a third of their time, and all see the same rows. It blocks nobody.
  database.exec('BEGIN');
  /**
   * Each commit is a generation. A row of a later one than this run saw is not the row that it kept: another process
   * wrote it meanwhile, as part of a capture of its own.
   */
  const generation = generationOf(database);
  const captures = capturesOf(database);
  const kept = idSet();
  /** How many rows are kept of each collection. */
  const keptOf = new Map<string, number>();
  database.function('is_kept', (row, of) => (Number(of) <= generation && kept.has(Number(row)) ? 1 : 0));
  const rows = rowsAhead(database);
  const added = addedRows(database);
  return {
    find(path, facts) {
      const row = rows.find(path);
      if (row === undefined) return undefined;
      const id = Number(row.id);
      const capture = captures.get(Number(row.capture));
      const record = String(row.record);
      if (capture === undefined || statSum(path, record) !== row.sum || id >= idBound) return undefined;
      const file = decodeStatRecord(record, path, facts);
      return file === undefined ? undefined : { ...file, capture, row: { database: number, id } };
    },

    keep({ row, capture }) {
      if (row.database !== number || kept.has(row.id)) return;
      kept.add(row.id);
      const key = collectionKey(capture);
      keptOf.set(key, (keptOf.get(key) ?? 0) + 1);
    },

    add(path, file, collection) {
      const record = encodeStatRecord(file);
      added.add(path, collectionKey(collection), record, statSum(path, record));
    },

    commit(taken) {
      added.flush();
      database.exec('COMMIT; BEGIN IMMEDIATE');
      const next = generationOf(database) + 1;
      // As long as nobody else committed, the rows that were kept are rows that are there.
      const isAlone = next === generation + 1;
      for (const capture of taken) {
        writeCapture(database, capture, next, isAlone ? keptOf.get(collectionKey(capture)) : undefined);
      }
      database.prepare('UPDATE state SET generation = ? WHERE id = 1').run(next);
      database.exec('COMMIT');
    },

    close: () => database.close(),
  };
}

/** Rows of one statement: a statement for each row costs twice as much. */
const rowsPerInsert = 32;

interface AddedRows {
  add(path: ByteString, collection: string, record: string, sum: number): void;
  /** Writes what is left. */
  flush(): void;
}

function addedRows(database: DatabaseSync): AddedRows {
  const one = '(?, ?, ?, ?)';
  const insertOne = database.prepare(`INSERT INTO temp.added VALUES ${one}`);
  const insertMany = database.prepare(`INSERT INTO temp.added VALUES ${Array(rowsPerInsert).fill(one).join(',')}`);
  let values: (string | number)[] = [];
  return {
    add(path, collection, record, sum) {
      values.push(path, collection, record, sum);
      if (values.length < rowsPerInsert * 4) return;
      insertMany.run(...values);
      values = [];
    },
    flush() {
      for (let at = 0; at < values.length; at += 4) insertOne.run(...values.slice(at, at + 4));
      values = [];
    },
  };
}

/** Makes rows those of a capture; of the rows that are there, `kept` are to stay, as far as that is known. */
function writeCapture(database: DatabaseSync, capture: CaptureRef, generation: number, kept: number | undefined): void {
  const { domain, collection, commit, n } = capture;
  const row = database
    .prepare(
      `INSERT INTO captures (domain, collection, made_by, n) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET made_by = excluded.made_by, n = excluded.n RETURNING id`,
    )
    .get(domain, collection, commit, n);
  const id = Number(row?.['id']);
  // Where nothing is gone, to count takes a hundredth of asking about each.
  const rows = Number(database.prepare('SELECT count(*) AS rows FROM files WHERE capture = ?').get(id)?.['rows']);
  if (rows !== kept) database.prepare('DELETE FROM files WHERE capture = ? AND NOT is_kept(id, generation)').run(id);
  database
    .prepare(
      `INSERT INTO files (path, capture, generation, record, sum)
       SELECT path, ?, ?, record, sum FROM temp.added WHERE collection = ?
       ON CONFLICT DO UPDATE SET capture = excluded.capture, generation = excluded.generation,
                                 record = excluded.record, sum = excluded.sum`,
    )
    .run(id, generation, collectionKey(capture));
}

function generationOf(database: DatabaseSync): number {
  return Number(database.prepare('SELECT generation FROM state WHERE id = 1').get()?.['generation']);
}

function capturesOf(database: DatabaseSync): ReadonlyMap<number, CaptureRef> {
  const captures = new Map<number, CaptureRef>();
  for (const row of database.prepare('SELECT id, domain, collection, made_by, n FROM captures').all()) {
    const { id, domain, collection, made_by: commit, n } = row;
    // What a damaged row says is of no capture: its files are read again.
    if (!isHex(commit, 20)) continue;
    const capture = {
      domain: String(domain),
      collection: String(collection),
      commit: asCommitId(commit),
      n: Number(n),
    };
    captures.set(Number(id), capture);
  }
  return captures;
}

function collectionKey({ domain, collection }: CollectionRef): string {
  return `${domain}/${collection}`;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
