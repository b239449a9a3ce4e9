/**
 * The database file of a stat cache: opening, its tables, and a new file when the old one is damaged.
 *
 * Files are numbered, `<name>.<number>.sqlite`, and the highest number counts. A damaged one is left behind under its
 * number: renaming a file that another process has open would mix its journal with that of the new file.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface StatDatabaseOptions {
  /** Made when it is not there, for its owner only: file names are nobody else's business. */
  readonly folder: string;
  /** First part of the file's name. */
  readonly name: string;
  /** How long to wait for other processes, in milliseconds. */
  readonly timeoutMs: number;
}

export interface StatDatabase {
  readonly database: DatabaseSync;
  readonly number: number;
}

/** Opens the newest database, or, where that is damaged, a new one. Throws what SQLite and the file system throw. */
export function openStatDatabase(options: StatDatabaseOptions): StatDatabase {
  fs.mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const newest = Math.max(1, ...numbersOf(options));
  try {
    return openNumber(newest, options);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return openNewStatDatabase(options, newest);
  }
}

/** Opens the database after number `damaged`, which another process may have made already. */
export function openNewStatDatabase(options: StatDatabaseOptions, damaged: number): StatDatabase {
  for (const number of numbersOf(options)) {
    // The damaged one stays for whoever wants to know what happened to it; those before it go.
    if (number < damaged) removeNumber(number, options);
  }
  return openNumber(damaged + 1, options);
}

/** Whether an error says that a database is not one of ours, or not whole. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DatabaseDamage) return true;
  // A number that JavaScript cannot hold: we never write one.
  if (error instanceof RangeError && 'code' in error && error.code === 'ERR_OUT_OF_RANGE') return true;
  return [primaryCodes.corrupt, primaryCodes.notADatabase].includes(codeOf(error));
}

/** Whether an error is SQLite's. */
export function isSqliteError(error: unknown): boolean {
  return codeOf(error) !== 0;
}

/** https://sqlite.org/rescode.html; the low 8 bits of an extended code are the primary one. */
const primaryCodes = { error: 1, busy: 5, corrupt: 11, notADatabase: 26 };

function codeOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
}

class DatabaseDamage extends Error {}

const schemaVersion = 1;

const schema = `
  CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY CHECK (id = 1), generation INTEGER NOT NULL);
  INSERT OR IGNORE INTO state VALUES (1, 0);
  CREATE TABLE IF NOT EXISTS captures (
    id INTEGER PRIMARY KEY, domain TEXT NOT NULL, collection TEXT NOT NULL, made_by TEXT NOT NULL, n INTEGER NOT NULL,
    UNIQUE (domain, collection)
  );
  CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, capture INTEGER NOT NULL, generation INTEGER NOT NULL,
    record TEXT NOT NULL, sum INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS files_of_capture ON files (capture);
  PRAGMA user_version = ${schemaVersion};
`;

function openNumber(number: number, options: StatDatabaseOptions): StatDatabase {
  const path = pathOf(number, options);
  // SQLite gives its journals the mode of the database.
  fs.closeSync(fs.openSync(path, 'a', 0o600));
  const database = new DatabaseSync(path, { timeout: options.timeoutMs });
  try {
    patiently(options.timeoutMs, () => database.exec('PRAGMA journal_mode = WAL'));
    // A cache: after a power cut the last commits may be gone, but what is there is whole.
    database.exec('PRAGMA synchronous = NORMAL');
    patiently(options.timeoutMs, () => database.exec('BEGIN IMMEDIATE'));
    makeTables(database);
    database.exec('COMMIT');
    return { database, number };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Makes the tables that are not there; what is there and does not fit is the database of something else. */
function makeTables(database: DatabaseSync): void {
  try {
    database.exec(schema);
    database.prepare('SELECT generation FROM state WHERE id = 1').get();
    database.prepare('SELECT id, domain, collection, made_by, n FROM captures');
    database.prepare('SELECT id, path, capture, generation, record, sum FROM files');
  } catch (cause) {
    if (codeOf(cause) !== primaryCodes.error) throw cause;
    throw new DatabaseDamage('the tables are not those of a stat cache', { cause });
  }
}

/** SQLite does not wait by itself where waiting could be for ever, e.g. for the change to WAL. */
function patiently(timeoutMs: number, call: () => void): void {
  const pauseMs = 20;
  for (let waitedMs = 0; ; waitedMs += pauseMs) {
    try {
      call();
      return;
    } catch (error) {
      if (codeOf(error) !== primaryCodes.busy || waitedMs >= timeoutMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
}

/** Whether there is a database, of whatever state. */
export function hasStatDatabase(options: Pick<StatDatabaseOptions, 'folder' | 'name'>): boolean {
  try {
    return numbersOf(options).length > 0;
  } catch {
    return false;
  }
}

function numbersOf({ folder, name }: Pick<StatDatabaseOptions, 'folder' | 'name'>): number[] {
  const pattern = /^\.([1-9][0-9]{0,8})\.sqlite$/;
  return fs.readdirSync(folder).flatMap((file) => {
    const number = file.startsWith(name) ? pattern.exec(file.slice(name.length))?.[1] : undefined;
    return number === undefined ? [] : [Number(number)];
  });
}

function pathOf(number: number, { folder, name }: StatDatabaseOptions): string {
  return join(folder, `${name}.${number}.sqlite`);
}

function removeNumber(number: number, options: StatDatabaseOptions): void {
  const path = pathOf(number, options);
  for (const end of ['-wal', '-shm', '']) fs.rmSync(path + end, { force: true });
}
