/**
 * The pack journal: one local line for every pack that is stored and in no committed index segment yet, so that what an
 * interrupted run stored is used again. Losing it costs time only; `mbk repair index` finds such packs too.
 *
 * Each process appends to a file of its own, `<pid>-<random>.journal`. A line is `<kind> <pack id> <size>` and a newline;
 * whatever is not such a line, as the torn end of a file, is passed over.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../crypto/hash.ts';
import { MbkError } from '../errors.ts';
import { toHex } from '../format/bytes.ts';
import { asPackId, type PackId, type PackKind } from '../format/ids.ts';
import type { PackRow } from '../format/segment-rows.ts';

export type JournalRow = Pick<PackRow, 'kind' | 'id' | 'size'>;

export interface PackJournal {
  /** Notes a stored pack. Errors: `local-state-failed`. */
  append(row: JournalRow): void;
  /** Strikes out packs that a committed segment holds. Errors: `local-state-failed`. */
  remove(packs: Iterable<PackId>): void;
}

export interface JournalFile {
  readonly path: string;
  /** The process that wrote it. */
  readonly pid: number;
  readonly rows: readonly JournalRow[];
}

/** A journal in `folder` for the process `pid`; the file is made with its first line. */
export function packJournal(
  folder: string,
  { pid, random }: { readonly pid: number; readonly random: Random },
): PackJournal {
  const path = join(folder, `${pid}-${toHex(random(8))}.journal`);
  const rows = new Map<PackId, JournalRow>();
  /** Whether the file may end in a part of a line, which the next one must not continue. */
  let isTorn = false;
  return {
    append(row) {
      rows.set(row.id, row);
      const text = isTorn ? `\n${lineOf(row)}` : lineOf(row);
      isTorn = true;
      inFolder(folder, () => {
        fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
        fs.appendFileSync(path, text, { mode: 0o600 });
      });
      isTorn = false;
    },
    remove(packs) {
      const before = rows.size;
      for (const id of packs) rows.delete(id);
      if (rows.size === before) return;
      inFolder(folder, () => {
        if (rows.size === 0) {
          fs.rmSync(path, { force: true });
          return;
        }
        fs.writeFileSync(`${path}.new`, [...rows.values()].map(lineOf).join(''), { mode: 0o600 });
        fs.renameSync(`${path}.new`, path);
      });
    },
  };
}

/** The journals in `folder`, none when it is absent. Errors: `local-state-failed`. */
export function readJournals(folder: string): JournalFile[] {
  return inFolder(folder, () => {
    if (!fs.existsSync(folder)) return [];
    return fs.readdirSync(folder).flatMap((name) => {
      const pid = /^([0-9]{1,15})-[0-9a-f]+\.journal$/.exec(name)?.[1];
      if (pid === undefined) return [];
      const path = join(folder, name);
      return [{ path, pid: Number(pid), rows: parseRows(readOrEmpty(path)) }];
    });
  });
}

/** Removes a journal whose packs are all in committed segments. Errors: `local-state-failed`. */
export function removeJournal({ path }: JournalFile): void {
  inFolder(path, () => fs.rmSync(path, { force: true }));
}

function lineOf({ kind, id, size }: JournalRow): string {
  return `${kind} ${id} ${size}\n`;
}

function parseRows(text: string): JournalRow[] {
  // The part behind the last newline is a line that was not written whole.
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const [, kind, id, size] = /^(data|meta) ([0-9a-f]{64}) ([0-9]{1,15})$/.exec(line) ?? [];
      return id === undefined
        ? []
        : [{ kind: kind === 'data' ? ('data' as PackKind) : 'meta', id: asPackId(id), size: Number(size) }];
    });
}

/** Another process may have removed its journal since it was listed. */
function readOrEmpty(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

function inFolder<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new MbkError('local-state-failed', `the pack journal in ${path} cannot be used: ${cause.message}`, {
      details: { path },
      cause,
    });
  }
}
