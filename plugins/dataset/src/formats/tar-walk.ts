/** Walks through a tar file as its bytes pass by: headers, long names, data. Bounded, whatever the headers say. */

import { readTarHeader } from './tar-header.ts';

export interface TarMember {
  readonly name: string;
  readonly size: number;
  readonly isFile: boolean;
  /** Of its header. */
  readonly offset: number;
}

export interface TarEvents {
  member(member: TarMember): void;
  /** Bytes of the last member, in pieces of any size. */
  data?(bytes: Uint8Array): void;
  /** The walk ends where a header is none; a too large extended header is passed over. */
  broken(reason: string, offset: number): void;
}

/** What is to say about the end of the file. */
export interface TarEnd {
  readonly size: number;
  readonly isBroken: boolean;
  /** Bytes that the last member, or header, lacks. */
  readonly missing: number;
  /** Whether the two closing blocks were there, and whether something but zeros followed. */
  readonly isClosed: boolean;
  readonly hasTail: boolean;
}

const block = 512;
/** Bytes of a long name, or of pax records, that are kept. */
const longestHeader = 1_048_576;

export function tarWalk(events: TarEvents): { push(piece: Uint8Array): void; end(): TarEnd } {
  const header = new Uint8Array(block);
  let filled = 0;
  let position = 0;
  /** Bytes of data, then of padding, that are still to come. */
  let data = 0;
  let padding = 0;
  /** What the next member is called. */
  let extended: { readonly type: string; readonly bytes: Uint8Array; filled: number } | undefined;
  let isFile = false;
  let longName: string | undefined;
  let longSize: number | undefined;
  let zeros = 0;
  let isClosed = false;
  let isBroken = false;
  let hasTail = false;

  const takeExtended = (): void => {
    if (extended === undefined) return;
    const { bytes, type } = extended;
    extended = undefined;
    if (type === 'L') longName = cutAtNul(bytes);
    if (type === 'x') {
      const { path, size } = paxRecords(bytes);
      longName = path ?? longName;
      longSize = size ?? longSize;
    }
  };
  const takeHeader = (offset: number): void => {
    if (header.every((byte) => byte === 0)) {
      zeros += 1;
      isClosed = zeros === 2;
      return;
    }
    zeros = 0;
    const read = readTarHeader(header);
    if (typeof read === 'string') {
      isBroken = true;
      events.broken(read, offset);
      return;
    }
    const { name, type } = read;
    const isExtension = 'xgLK'.includes(type);
    const size = isExtension || read.size === 0 ? read.size : (longSize ?? read.size);
    data = size;
    padding = (block - (size % block)) % block;
    isFile = !isExtension && (type === '0' || type === '7');
    if (isExtension) {
      if (size > longestHeader) events.broken('an extended header of more than 1 MiB', offset);
      else extended = { type, bytes: new Uint8Array(size), filled: 0 };
      if (size === 0) takeExtended();
      return;
    }
    events.member({ name: longName ?? name, size, isFile, offset });
    longName = undefined;
    longSize = undefined;
  };
  return {
    push(piece) {
      let at = 0;
      while (at < piece.length && !isBroken) {
        const left = piece.length - at;
        if (isClosed) {
          hasTail ||= piece.subarray(at).some((byte) => byte !== 0);
          break;
        }
        if (data > 0) {
          const taken = Math.min(data, left);
          const bytes = piece.subarray(at, at + taken);
          if (extended !== undefined) {
            extended.bytes.set(bytes, extended.filled);
            extended.filled += taken;
          } else if (isFile) events.data?.(bytes);
          data -= taken;
          at += taken;
          if (data === 0) takeExtended();
        } else if (padding > 0) {
          const taken = Math.min(padding, left);
          padding -= taken;
          at += taken;
        } else {
          const taken = Math.min(block - filled, left);
          header.set(piece.subarray(at, at + taken), filled);
          filled += taken;
          at += taken;
          if (filled === block) {
            filled = 0;
            takeHeader(position + at - block);
          }
        }
      }
      position += piece.length;
    },
    end: () => ({
      size: position,
      isBroken,
      missing: data + ((block - filled) % block),
      isClosed,
      hasTail,
    }),
  };
}

function cutAtNul(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  return new TextDecoder().decode(nul < 0 ? bytes : bytes.subarray(0, nul));
}

/** `path` and `size` of pax records: `length key=value\n`. What is none ends the reading. */
function paxRecords(bytes: Uint8Array): { readonly path?: string; readonly size?: number } {
  let found: { path?: string; size?: number } = {};
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    if (space < 0 || space - at > 10) break;
    const length = Number(new TextDecoder().decode(bytes.subarray(at, space)));
    if (!Number.isSafeInteger(length) || length <= space - at + 1 || at + length > bytes.length) break;
    const text = new TextDecoder().decode(bytes.subarray(space + 1, at + length - 1));
    if (text.startsWith('path=')) found = { ...found, path: text.slice(5) };
    const size = Number(text.startsWith('size=') ? text.slice(5) : Number.NaN);
    if (Number.isSafeInteger(size) && size >= 0) found = { ...found, size };
    at += length;
  }
  return found;
}
