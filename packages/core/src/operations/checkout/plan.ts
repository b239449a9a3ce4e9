/** What a checkout would do, looked at before anything is written: how much, what is in the way, whether there is room. */
import fs from 'node:fs';
import { dirname } from 'node:path';
import { throwIfInterrupted } from '../../backend/interrupted.ts';
import { errnoOf } from '../../backend/local-file-system.ts';
import { MbkError } from '../../errors.ts';
import {
  bufferOfBytes,
  displayBytes,
  encodeByteText,
  joinBytes,
  textOfBytes,
  type ByteString,
  type ByteText,
} from '../../format/byte-name.ts';
import type { CommitId } from '../../format/ids.ts';
import type { FileEntry } from '../../format/tree.ts';
import type { Repository } from '../../repository.ts';
import { readChunks } from '../../snapshot/chunk-list-reader.ts';
import { isLater, isSameTime, timeOfMs } from '../../snapshot/file-time.ts';
import { isUnionDirectory, type UnionEntry } from '../../snapshot/union-tree.ts';
import { isBadContent } from '../bad-content.ts';
import type { CheckoutRequest } from '../checkout.ts';
import { openSelection, type LinkGroupOf, type Selection } from './selection.ts';

export interface CheckoutPlan {
  readonly commit: CommitId;
  readonly domain: string;
  readonly target: ByteText;
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** Bytes of all files. */
  readonly bytes: number;
  /** What is new in the target, what takes the place of something, what stays; files and links. */
  readonly added: number;
  readonly replaced: number;
  /** Because it is the same by size and time, which the checkout proves by SHA-256, or because it may not be replaced. */
  readonly staying: number;
  /** In the target and not in the snapshot, to be removed. */
  readonly extra: number;
  /** Bytes that the target needs and has; null where the system does not say. */
  readonly needed: number;
  readonly free: number | null;
  /** Collections that retention gave up: their files are not restored. */
  readonly expired: readonly string[];
  /** Folders that cannot be read whole. */
  readonly broken: number;
}

/** One path of a plan. */
export interface PlannedPath {
  readonly path: ByteText;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly action: 'add' | 'replace' | 'stay' | 'remove';
  readonly size: number;
}

/**
 * Plans; writes nothing.
 *
 * Errors: those of `openSelection`, `target-not-empty`, `target-failed` (no room, or the target is no folder),
 * `capture-expired` (files would be removed that the snapshot had).
 */
export async function planCheckout(
  repository: Repository,
  request: CheckoutRequest,
  { onPath }: { readonly onPath?: ((planned: PlannedPath) => void) | undefined } = {},
): Promise<CheckoutPlan> {
  const { target, overwrite } = request;
  const selection = await openSelection(repository, request.revision, request.paths);
  const { commit, domain, expired } = selection;
  if (request.delete === true && expired.length > 0) {
    throw new MbkError(
      'capture-expired',
      `nothing may be deleted in the target: the files of ${expired.join(', ')} were given up, so it is not known what belongs there`,
      {
        details: { expired },
      },
    );
  }
  const names = namesIn(target);
  if (names !== undefined && names.length > 0 && overwrite === undefined) {
    throw new MbkError('target-not-empty', `${displayBytes(target)} is not empty`, {
      details: { path: displayBytes(target) },
    });
  }
  const counts = {
    files: 0,
    directories: 0,
    symlinks: 0,
    bytes: 0,
    added: 0,
    replaced: 0,
    staying: 0,
    extra: 0,
    needed: 0,
    broken: 0,
  };
  const isEmpty = names === undefined || names.length === 0;
  const links = await readLinksOr(selection);
  const linked = new Set<LinkGroupOf>();
  const onBroken = (): void => void (counts.broken += 1);

  for await (const entries of selection.entries(onBroken)) {
    throwIfInterrupted(repository.signal, 'planning the checkout');
    for (const one of entries) {
      const { path, entry } = one;
      const size = entry.type === 'file' ? entry.size : 0;
      const action = actionOn(one, isEmpty ? undefined : look(joinBytes(target, path)), overwrite);
      onPath?.({ path: encodeByteText(path), type: entry.type, action, size });
      if (entry.type === 'directory') {
        counts.directories += 1;
        continue;
      }
      counts[entry.type === 'file' ? 'files' : 'symlinks'] += 1;
      counts[action === 'add' ? 'added' : action === 'replace' ? 'replaced' : 'staying'] += 1;
      if (entry.type !== 'file') continue;
      counts.bytes += size;
      const group = links.get(path);
      const isFurtherName = group !== undefined && linked.has(group);
      if (group !== undefined) linked.add(group);
      if (action !== 'stay' && !isFurtherName)
        counts.needed += entry.sparse === true ? await storedBytes(repository, entry) : size;
    }
  }
  if (request.delete === true && !isEmpty) await countExtra(selection, target, counts, onPath);

  const free = freeBytes(target);
  if (free !== null && counts.needed > free) throw noRoom(target, counts.needed, free);
  return { commit, domain, target: encodeByteText(target), ...counts, free, expired };
}

/** What is needed of a file with holes. */
async function storedBytes({ readBlob, signal }: Repository, entry: FileEntry): Promise<number> {
  let bytes = 0;
  try {
    for await (const chunk of readChunks(readBlob, entry, { signal })) if (chunk.kind !== 'zero') bytes += chunk.length;
  } catch (error) {
    if (!isBadContent(error)) throw error; // the checkout tells it
  }
  return bytes;
}

async function readLinksOr(selection: Selection): Promise<ReadonlyMap<ByteString, LinkGroupOf>> {
  try {
    return await selection.readLinks();
  } catch (error) {
    if (!isBadContent(error)) throw error; // the checkout tells it
    return new Map();
  }
}

function actionOn(
  one: UnionEntry,
  there: fs.Stats | undefined,
  overwrite: CheckoutRequest['overwrite'],
): PlannedPath['action'] {
  if (there === undefined) return 'add';
  const { entry } = one;
  if (isUnionDirectory(one)) return there.isDirectory() ? 'stay' : 'replace';
  if (overwrite === 'never') return 'stay';
  const mtime = timeOfMs(there.mtimeMs);
  const isSame = entry.type === 'file' && there.isFile() && there.size === entry.size && isSameTime(mtime, entry.mtime);
  if (isSame) return 'stay';
  return overwrite === 'newer' && !isLater(entry.mtime, mtime) ? 'stay' : 'replace';
}

async function countExtra(
  selection: Selection,
  target: ByteString,
  counts: { extra: number },
  onPath: ((planned: PlannedPath) => void) | undefined,
): Promise<void> {
  for await (const { path, names } of selection.folders(() => undefined)) {
    for (const name of namesIn(joinBytes(target, path)) ?? []) {
      if (names.has(name)) continue;
      counts.extra += 1;
      const extra = joinBytes(path, name);
      const there = look(joinBytes(target, extra));
      const type = there?.isDirectory() === true ? 'directory' : there?.isSymbolicLink() === true ? 'symlink' : 'file';
      onPath?.({ path: encodeByteText(extra), type, action: 'remove', size: type === 'file' ? (there?.size ?? 0) : 0 });
    }
  }
}

/** Names in a folder; undefined when nothing is there. A look ahead: the checkout itself goes by handles. */
function namesIn(folder: ByteString): string[] | undefined {
  try {
    return fs.readdirSync(bufferOfBytes(folder), { encoding: 'latin1' });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENAMETOOLONG') return undefined;
    if (errno === undefined) throw error;
    const shown = displayBytes(folder);
    throw new MbkError('target-failed', `${shown} cannot be used as a folder: ${errno}`, {
      details: { path: shown, errno },
      cause: error,
    });
  }
}

function look(location: ByteString): fs.Stats | undefined {
  try {
    return fs.lstatSync(bufferOfBytes(location));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** Room for this user where the target is or will be; null where the system does not say. */
function freeBytes(target: ByteString): number | null {
  for (let at = textOfBytes(target); at !== undefined; at = dirname(at)) {
    try {
      const { bavail, bsize } = fs.statfsSync(at);
      return bavail * bsize;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || dirname(at) === at) return null;
    }
  }
  return null;
}

function noRoom(target: ByteString, needed: number, free: number): MbkError {
  const shown = displayBytes(target);
  return new MbkError('target-failed', `the checkout needs ${needed} bytes, and ${shown} has room for ${free}`, {
    details: { path: shown, needed, free, errno: 'ENOSPC' },
    remedy: 'Free room, name another folder with `--to`, or check out only some paths.',
  });
}
