/**
 * The names in a folder that are still to be visited. Of a large folder they lie packed in one buffer: a million of them
 * take about 10 MB there, and 50 MB as strings for as long as the walk is in the folder.
 */
import type { ByteString } from '../format/byte-name.ts';

export interface FolderNames {
  /** The next name, in the order of their bytes; undefined behind the last. */
  next(): ByteString | undefined;
}

/** So many names are sorted and packed at a time; fewer are not worth packing. */
const mostPlain = 16_384;

/** The names in order, whatever theirs was. Of many it never holds more than some as strings. */
export function folderNames(names: Iterable<ByteString>): FolderNames {
  const runs: FolderNames[] = [];
  let run: ByteString[] = [];
  for (const name of names) {
    run.push(name);
    if (run.length < mostPlain) continue;
    runs.push(packedNames(run.sort()));
    run = [];
  }
  run.sort();
  if (runs.length > 0) return mergedNames([...runs, packedNames(run)]);
  run.reverse();
  return { next: () => run.pop() };
}

/** The names of all runs, each of which is in order. */
function mergedNames(runs: readonly FolderNames[]): FolderNames {
  /** A heap: a run stands before those at twice its place and one or two more, which have greater names. */
  const heap = runs
    .flatMap((run) => {
      const name = run.next();
      return name === undefined ? [] : [{ name, run }];
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));

  const sink = (): void => {
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const [one, other] = [heap[left], heap[left + 1]];
      const least = one !== undefined && other !== undefined && other.name < one.name ? left + 1 : left;
      const [here, below] = [heap[at], heap[least]];
      if (here === undefined || below === undefined || here.name <= below.name) return;
      heap[at] = below;
      heap[least] = here;
      at = least;
    }
  };

  return {
    next() {
      const [first] = heap;
      if (first === undefined) return undefined;
      const { name, run } = first;
      const following = run.next();
      const last = following === undefined ? heap.pop() : { name: following, run };
      if (last !== undefined && heap.length > 0) heap[0] = last;
      sink();
      return name;
    },
  };
}

/*
 * One name behind the other, in order:
 * offset size  meaning
 *      0    1  how many bytes it begins with that the name before it begins with, 255 at most
 *      1    2  how many others it has, little-endian
 *      3    –  those
 */
const prelude = 3;
const mostShared = 255;
const mostOthers = 65_535;

/** The same for names in order, packed; RangeError for a name that no file system has. */
export function packedNames(names: readonly ByteString[]): FolderNames {
  let byteLength = 0;
  let longest = 0;
  for (const [at, name] of names.entries()) {
    byteLength += prelude + name.length - sharedStart(names[at - 1] ?? '', name);
    longest = Math.max(longest, name.length);
  }
  if (longest > mostOthers)
    throw new RangeError(`expected names of at most ${mostOthers} bytes, got one of ${longest}`);
  const packed = Buffer.alloc(byteLength);
  let end = 0;
  for (const [at, name] of names.entries()) {
    const shared = sharedStart(names[at - 1] ?? '', name);
    packed[end] = shared;
    packed.writeUInt16LE(name.length - shared, end + 1);
    end += prelude + packed.write(name.slice(shared), end + prelude, 'latin1');
  }
  const current = Buffer.alloc(longest);
  let at = 0;
  return {
    next() {
      if (at === byteLength) return undefined;
      const shared = packed[at] ?? 0;
      const others = packed.readUInt16LE(at + 1);
      packed.copy(current, shared, at + prelude, at + prelude + others);
      at += prelude + others;
      return current.toString('latin1', 0, shared + others);
    },
  };
}

function sharedStart(before: ByteString, name: ByteString): number {
  const most = Math.min(before.length, name.length, mostShared);
  let shared = 0;
  while (shared < most && before.charCodeAt(shared) === name.charCodeAt(shared)) shared += 1;
  return shared;
}
