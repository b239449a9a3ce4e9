/** The rules of .npy, for a file or a member of .npz; objects in it are a pickle, which is scanned. */

import { isLayoutError, LayoutError, type Reader } from '@mbk/plugin-sdk';
import { type Problems, quoted } from '../codes.ts';
import { scanPickles } from '../pickle/scan-all.ts';
import { type NpyHeader, npyDataBytes, readNpyHeader } from './header.ts';

export interface NpyCheck {
  readonly problems: Problems;
  readonly signal: AbortSignal;
  readonly isStrict: boolean;
  /** Name of the member, or empty for a file of its own. */
  readonly place: string;
  /** Of the array's first byte in the file; undefined for an unpacked one. */
  readonly start: number | undefined;
  /** Where the member is named, for an unpacked one. */
  readonly at?: number;
}

/** The header, where it can be read. */
export async function checkNpy(reader: Reader, check: NpyCheck): Promise<NpyHeader | undefined> {
  const { at, isStrict, place, problems, signal, start } = check;
  const where = place === '' ? 'the array' : `the array ${quoted(place)}`;
  const offsetOf = (offset: number): number => (start === undefined ? (at ?? 0) : start + offset);
  try {
    const header = await readNpyHeader(reader, signal);
    const { dataOffset } = header;
    const rest = reader.size - dataOffset;
    if (header.hasObjects) {
      problems.report('npy/objects', `${where} holds Python objects, so loading it unpickles`, { offset: offsetOf(0) });
      const range = { start: dataOffset, end: reader.size };
      await scanPickles(reader, {
        ...range,
        isStrict,
        place,
        problems,
        signal,
        ...(start === 0 ? {} : { at: offsetOf(0) }),
      });
    }
    const expected = header.hasObjects ? undefined : npyDataBytes(header);
    if (expected !== undefined && expected > BigInt(rest)) {
      problems.report('npy/truncated', `${where} needs ${expected} bytes and has ${rest}`, {
        offset: offsetOf(dataOffset),
      });
    } else if (expected !== undefined && expected < BigInt(rest)) {
      problems.report('npy/trailing-bytes', `${BigInt(rest) - expected} bytes follow ${where}`, {
        offset: offsetOf(dataOffset + Number(expected)),
      });
    }
    if (dataOffset % 64 !== 0 && dataOffset % 16 !== 0) {
      problems.report('npy/unaligned', `the elements of ${where} begin at ${dataOffset}, no multiple of 16 or 64`, {
        offset: offsetOf(dataOffset),
      });
    }
    return header;
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    problems.fail(new LayoutError(error.code, `${where}: ${error.message}`, offsetOf(error.offset ?? 0)));
    return undefined;
  }
}
