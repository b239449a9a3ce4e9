/** Every rule of safetensors (safetensors/src/tensor.rs, Metadata::validate) on one file, going on after a broken entry. */

import { byteCursor, isLayoutError, type LayoutTensor, type PluginContext, type Reader } from '@mbk/plugin-sdk';
import { type Problems, quoted } from '../codes.ts';
import { mostTensors } from '../most-tensors.ts';
import { readJsonMembers } from './json-members.ts';
import { longestEntry, longestHeader, readEntry } from './layout.ts';

export interface SafetensorsSurvey {
  /** Those whose entries are sound. */
  readonly tensors: readonly LayoutTensor[];
  /** Undefined where there is none, or none that holds. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly headerBytes: number;
  /** Whether the header was read to its end. */
  readonly isWhole: boolean;
}

const longestMetadata = 1 << 22;

/** Undefined for a file without such a header; `problems` say why. */
export async function surveySafetensors(
  reader: Reader,
  { limits, signal }: Pick<PluginContext, 'signal' | 'limits'>,
  problems: Problems,
): Promise<SafetensorsSurvey | undefined> {
  const head = Buffer.from(await reader.read(0, Math.min(9, reader.size), { signal }));
  if (head.length < 9) {
    problems.report('safetensors/truncated', `a file of ${reader.size} bytes has no header`, { offset: 0 });
    return undefined;
  }
  const length = head.readBigUInt64LE(0);
  if (length > BigInt(longestHeader)) {
    const is = head[8] === 0x7b ? 'safetensors/header-too-large' : 'safetensors/not-safetensors';
    problems.report(is, `the first eight bytes make a header of ${length} bytes, of at most ${longestHeader}`, {
      offset: 0,
    });
    return undefined;
  }
  if (head[8] !== 0x7b || length < 2n) {
    problems.report('safetensors/not-safetensors', 'no JSON object begins behind the length of the header', {
      offset: 8,
    });
    return undefined;
  }
  const dataStart = 8 + Number(length);
  if (dataStart > reader.size) {
    problems.report('safetensors/truncated', `a header of ${length} bytes in a file of ${reader.size}`, { offset: 0 });
    return undefined;
  }
  const tensors: LayoutTensor[] = [];
  const names = new Set<string>();
  const cursor = byteCursor(reader, { format: 'safetensors', signal, start: 8, end: dataStart });
  const bounds = {
    longestKey: limits.nameBytes,
    longestValue: (key: string) => (key === '__metadata__' ? longestMetadata : longestEntry),
  };
  let metadata: SafetensorsSurvey['metadata'];
  let isWhole = false;
  let broken = 0;
  try {
    for await (const member of readJsonMembers(cursor, bounds)) {
      const { key, offset } = member;
      if (names.has(key)) {
        problems.report('safetensors/duplicate-name', `${quoted(key)} is given twice`, { offset });
        broken += 1;
        continue;
      }
      names.add(key);
      if (key === '__metadata__') {
        metadata = metadataOf(member.value, offset, problems);
        continue;
      }
      if (tensors.length >= Math.min(mostTensors, limits.tensors)) {
        problems.report('safetensors/too-many-tensors', `more than ${tensors.length} tensors`, { offset });
        break;
      }
      if (key === '' || key === '__proto__' || /\p{Cc}/u.test(key) || !key.isWellFormed()) {
        problems.report('safetensors/suspicious-name', `a tensor is named ${quoted(key)}`, { offset });
      }
      try {
        tensors.push(readEntry(member, dataStart, reader.size));
      } catch (error) {
        if (!isLayoutError(error)) throw error;
        broken += 1;
        problems.fail(error);
      }
    }
    isWhole = true;
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    problems.fail(error);
  }
  if (isWhole && broken === 0) checkPlaces(tensors, dataStart, reader.size, problems);
  if (dataStart % 8 !== 0) {
    problems.report('safetensors/unaligned', `the data begin at ${dataStart}, no multiple of 8`, { offset: dataStart });
  }
  return { tensors, metadata, headerBytes: Number(length), isWhole };
}

/** Text by text, nothing else. */
function metadataOf(
  value: Uint8Array,
  offset: number,
  problems: Problems,
): Readonly<Record<string, string>> | undefined {
  const bad = (what: string): undefined => {
    problems.report('safetensors/bad-metadata', `__metadata__ ${what}`, { offset });
    return undefined;
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value));
  } catch {
    return bad('is no valid JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return bad('is no object');
  const entries = Object.entries(parsed);
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string'))
    return bad('has a value that is no text');
  return Object.fromEntries(entries);
}

/** The tensors fill the data section from its first byte to its last, each byte once. */
function checkPlaces(tensors: readonly LayoutTensor[], dataStart: number, fileSize: number, problems: Problems): void {
  let end = dataStart;
  for (const { length, name, offset } of tensors.toSorted((a, b) => a.offset - b.offset || a.length - b.length)) {
    if (length > 0 && offset < end) {
      problems.report('safetensors/overlap', `the bytes of ${quoted(name)} are those of another tensor too`, {
        offset,
      });
    } else if (offset > end) {
      problems.report('safetensors/hole', `${offset - end} bytes before ${quoted(name)} belong to no tensor`, {
        offset: end,
      });
    }
    end = Math.max(end, offset + length);
  }
  if (end < fileSize) {
    problems.report('safetensors/incomplete', `${fileSize - end} bytes at the end belong to no tensor`, {
      offset: end,
    });
  }
}
