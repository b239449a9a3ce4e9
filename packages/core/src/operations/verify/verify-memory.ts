/**
 * What this host has verified of a repository, and when: a small database in the state folder.
 *
 * Packs are named by the SHA-256 of their bytes and never change, so "read whole and found right at that time" is all
 * there is to know of one. It is a memory, not a proof: whoever can write to the state folder can write anything, and it
 * is only asked which packs to read first. A memory that cannot be used costs reading again.
 */
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { PackId } from '../../format/ids.ts';

/** One run of `mbk verify` over all snapshots, or over all packs that were due. */
export interface VerifyRun {
  /** When it ended, milliseconds since 1970 by the clock of this host. */
  readonly at: number;
  readonly level: 'structure' | 'data';
  /** Newest log entry that it looked at. */
  readonly n: number;
  /** Whether only some snapshots were looked at. */
  readonly isPartial: boolean;
  /** Packs that were read whole, and their bytes; 0 for structure. */
  readonly packs: number;
  readonly packBytes: number;
  readonly errors: number;
  readonly warnings: number;
}

export interface VerifyMemory {
  /** When each pack was last read whole and found right. */
  verifiedAt(): ReadonlyMap<PackId, number>;
  /** Notes that these packs were found right, and that those are not to be relied on; one step. */
  note(at: number, sound: readonly PackId[], unsound: readonly PackId[]): void;
  /** Notes a run; the newest thousand are kept. */
  addRun(run: VerifyRun): void;
  /** Newest first. */
  runs(limit: number): VerifyRun[];
  /** Forgets packs that are not among these. */
  keepOnly(packs: ReadonlySet<PackId>): void;
  close(): void;
}

/** How long to wait for other processes of this host, in milliseconds. */
const timeoutMs = 5000;
const mostRuns = 1000;

/** Below the state folder of a repository. */
export function verifyMemoryPath(stateFolder: string): string {
  return join(stateFolder, 'verified.sqlite');
}

/**
 * Opens the memory of a repository; one that is damaged is begun anew. Throws what SQLite and the file system throw when
 * neither is possible.
 */
export function openVerifyMemory(stateFolder: string): VerifyMemory {
  const path = verifyMemoryPath(stateFolder);
  fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return memoryAt(path);
  } catch (error) {
    if (!isDamage(error)) throw error;
    for (const end of ['-wal', '-shm', '']) fs.rmSync(path + end, { force: true });
    return memoryAt(path);
  }
}

const schema = `
  CREATE TABLE IF NOT EXISTS packs (id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, level TEXT NOT NULL, n INTEGER NOT NULL, partial INTEGER NOT NULL,
    packs INTEGER NOT NULL, bytes INTEGER NOT NULL, errors INTEGER NOT NULL, warnings INTEGER NOT NULL
  );
`;

function memoryAt(path: string): VerifyMemory {
  fs.closeSync(fs.openSync(path, 'a', 0o600));
  const database = new DatabaseSync(path, { timeout: timeoutMs });
  try {
    database.exec('PRAGMA synchronous = NORMAL');
    database.exec(schema);
    // Damage shows when it is read, and a table of something else when it is asked for.
    database.prepare('SELECT count(at) FROM packs').get();
    database.prepare('SELECT at, level, n, partial, packs, bytes, errors, warnings FROM runs LIMIT 1').get();
  } catch (error) {
    database.close();
    throw error;
  }
  const inOneStep = (work: () => void): void => {
    database.exec('BEGIN IMMEDIATE');
    try {
      work();
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
  };
  return {
    verifiedAt() {
      const rows = database.prepare('SELECT id, at FROM packs').iterate();
      const byPack = new Map<PackId, number>();
      for (const { id, at } of rows) byPack.set(id as PackId, Number(at));
      return byPack;
    },
    note(at, sound, unsound) {
      inOneStep(() => {
        const put = database.prepare('INSERT OR REPLACE INTO packs VALUES (?, ?)');
        for (const id of sound) put.run(id, at);
        const remove = database.prepare('DELETE FROM packs WHERE id = ?');
        for (const id of unsound) remove.run(id);
      });
    },
    addRun({ at, level, n, isPartial, packs, packBytes, errors, warnings }) {
      inOneStep(() => {
        database
          .prepare('INSERT INTO runs VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)')
          .run(at, level, n, isPartial ? 1 : 0, packs, packBytes, errors, warnings);
        database.prepare(`DELETE FROM runs WHERE id <= (SELECT max(id) FROM runs) - ${mostRuns}`).run();
      });
    },
    runs(limit) {
      return database
        .prepare('SELECT * FROM runs ORDER BY id DESC LIMIT ?')
        .all(limit)
        .map((row) => ({
          at: Number(row['at']),
          level: row['level'] === 'data' ? 'data' : 'structure',
          n: Number(row['n']),
          isPartial: row['partial'] !== 0,
          packs: Number(row['packs']),
          packBytes: Number(row['bytes']),
          errors: Number(row['errors']),
          warnings: Number(row['warnings']),
        }));
    },
    keepOnly(packs) {
      const gone = [...this.verifiedAt().keys()].filter((id) => !packs.has(id));
      if (gone.length > 0) this.note(0, [], gone);
    },
    close: () => database.close(),
  };
}

/** https://sqlite.org/rescode.html: an error of the schema (1), a corrupt file (11), no database (26). */
function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0;
  return [1, 11, 26].includes(code & 0xff);
}
