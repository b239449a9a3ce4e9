/** Reads many small files in a row: open, look, read, hash, look again; whatever is out of the ordinary is left. */
import { hash } from 'node:crypto';
import fs from 'node:fs';
import { errnoOf } from '../../backend/local-file-system.ts';
import { bufferOfBytes, displayBytes } from '../../format/byte-name.ts';
import { concatBytes } from '../../format/bytes.ts';
import { asBlobId, type BlobId } from '../../format/ids.ts';
import { parameters } from '../../format/limits.ts';
import { emptySha256 } from '../../format/tree.ts';
import { knownAsset, type AssetRule } from '../asset-plugins.ts';
import { sourceFacts, type SourceFacts } from '../source-facts.ts';
import { factNumbers, type SmallFiles, type SmallFilesTaken } from './capture-calls.ts';

export interface SmallFileRead {
  readonly id: BlobId;
  /** In the buffer, until the next batch is read. */
  readonly bytes: Uint8Array;
}

export interface ReadSmallFiles {
  readonly taken: SmallFilesTaken;
  /** The distinct blobs that were read, but for the empty one. */
  readonly blobs: readonly SmallFileRead[];
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
const noId = '0'.repeat(64);

/** Reads `files` into `buffer`; those that do not fit it are left. */
export function readSmallFiles(
  { locations: joined, pathsAt, facts }: SmallFiles,
  buffer: Uint8Array,
  { rules, headBytes }: { readonly rules: readonly AssetRule[]; readonly headBytes: number },
): ReadSmallFiles {
  const locations = joined.split('\0');
  const blobs = new Map<BlobId, SmallFileRead>();
  const ids: string[] = [];
  const sizes = new Float64Array(locations.length);
  const differing: Array<readonly [number, SourceFacts]> = [];
  const assets: Array<SmallFilesTaken['assets'][number]> = [];
  const bodies: Uint8Array[] = [];
  let bodyBytes = 0;
  const left: number[] = [];
  let used = 0;

  const take = (place: number): BlobId | undefined => {
    const location = locations[place] ?? '';
    const file = readOne(location, buffer, used);
    if (file === undefined) return undefined;
    const { stats, bytes } = file;
    const asset = knownAsset(rules, {
      path: displayBytes(location.slice(pathsAt)),
      head: bytes.subarray(0, headBytes),
    });
    if (asset?.looksInside === true) return undefined;
    if (asset !== undefined) {
      const isSent = asset.examines !== undefined;
      assets.push({ ...asset, place, offset: bodyBytes, length: isSent ? bytes.length : 0 });
      if (isSent) {
        bodies.push(bytes.slice());
        bodyBytes += bytes.length;
      }
    }
    if (!isAsSeen(stats, facts, place)) differing.push([place, sourceFacts(stats)]);
    sizes[place] = bytes.length;
    if (bytes.length === 0) return emptySha256;
    const id = asBlobId(hash('sha256', bytes, 'hex'));
    if (!blobs.has(id)) {
      blobs.set(id, { id, bytes });
      used += bytes.length;
    }
    return id;
  };

  for (let place = 0; place < locations.length; place += 1) {
    const id = take(place);
    if (id === undefined) left.push(place);
    ids.push(id ?? noId);
  }
  return {
    taken: { ids: ids.join(''), sizes, facts: differing, assets, bodies: concatBytes(bodies), left },
    blobs: [...blobs.values()],
  };
}

/** One file whole, as it was when it was opened; undefined unless it is a small file that stays as it is. */
function readOne(
  location: string,
  buffer: Uint8Array,
  at: number,
): { readonly stats: fs.Stats; readonly bytes: Uint8Array } | undefined {
  let fd: number | undefined;
  try {
    fd = fs.openSync(bufferOfBytes(location), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stats = fs.fstatSync(fd);
    if (!stats.isFile() || stats.size >= parameters.wholeFileBytes || stats.size > buffer.length - at) return undefined;
    const room = buffer.subarray(at, at + stats.size);
    for (let done = 0; done < room.length;) {
      const read = fs.readSync(fd, room, done, room.length - done, done);
      if (read === 0) return undefined;
      done += read;
    }
    const after = fs.fstatSync(fd);
    const isSame = after.size === stats.size && after.mtimeMs === stats.mtimeMs && after.ctimeMs === stats.ctimeMs;
    return isSame ? { stats, bytes: room } : undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function isAsSeen(stats: fs.Stats, facts: Float64Array, place: number): boolean {
  const at = place * factNumbers;
  return (
    stats.dev === facts[at] &&
    stats.ino === facts[at + 1] &&
    stats.size === facts[at + 2] &&
    stats.mtimeMs === facts[at + 3] &&
    stats.ctimeMs === facts[at + 4]
  );
}
