/** Files of the cache and state folders, read bounded and replaced whole. */
import fs from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Random } from '../crypto/hash.ts';
import { MbkError } from '../errors.ts';
import { toHex } from '../format/bytes.ts';

export interface ReplaceOptions {
  /** Names the temporary file. */
  readonly random: Random;
  /** Whether the bytes must survive a power cut once this resolves. */
  readonly durable: boolean;
}

/**
 * Puts `bytes` at `path`, in place of what was there: readers see the old file or the new one, never a part.
 * Makes the folders that lead there. Errors: `local-state-failed`.
 */
export async function replaceFile(path: string, bytes: Uint8Array, { random, durable }: ReplaceOptions): Promise<void> {
  const temporary = `${path}.${toHex(random(8))}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    if (durable) await syncFolder(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one to tell
    throw failed('written', path, cause);
  }
}

/**
 * Bytes of the file at `path`; undefined when there is none or it is larger than `limit`. Errors: `local-state-failed`.
 *
 * It blocks: opening a log reads up to 256 such files one after the other, and each wait for another thread takes ten
 * times as long as the call.
 */
export async function readSmallFile(path: string, limit: number): Promise<Uint8Array | undefined> {
  let file: number;
  try {
    file = fs.openSync(path, 'r');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw failed('read', path, cause);
  }
  try {
    return fs.fstatSync(file).size > limit ? undefined : new Uint8Array(fs.readFileSync(file));
  } catch (cause) {
    throw failed('read', path, cause);
  } finally {
    fs.closeSync(file);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function failed(how: string, path: string, cause: unknown): MbkError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new MbkError('local-state-failed', `${path} could not be ${how}: ${why}`, { details: { path }, cause });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
