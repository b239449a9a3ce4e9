/**
 * The fold as this host had it last, kept beside the local copies of entries: opening then reads only what was appended
 * since, and not up to 255 entries from the newest state on.
 *
 * It is sealed as a state is, and believed only when its SHA-256 is the one in the rollback memory: whoever can write to
 * the cache can take it away, and no more. Which operations a fold has depends on the keysets that were opened, so each
 * set of them has a copy of its own.
 */
import { sha256Hex, type Random } from '../crypto/hash.ts';
import type { Keys } from '../crypto/keyset.ts';
import { isMbkError } from '../errors.ts';
import { concatBytes, utf8, viewOf } from '../format/bytes.ts';
import { parseJson } from '../format/canonical-json.ts';
import { formatVersion } from '../format/limits.ts';
import { readLogState, type LogState } from '../format/log-state.ts';
import type { LogSource } from './chain.ts';
import { ColumnReader, ColumnWriter, type ColumnTables } from './columns.ts';
import type { Fold } from './fold.ts';
import { foldOfRows, stateOfFold } from './fold-state.ts';
import { readLines, readTags, writeLines, writeTags, type LineColumns, type TagColumns } from './line-columns.ts';
import type { FoldCopyMark } from './log-memory.ts';
import { maxStateBytes, openState, sealState } from './state-entry.ts';

/** Of the copies that this mbk writes: one of another form is not read. */
const form = 2;

/** The first bytes of a copy say how long its head is, which is JSON; behind it lie the cells of its columns. */
const lengthBytes = 4;

interface CopyHead {
  readonly form: number;
  /** Without lines and tags. */
  readonly state: JsonState;
  readonly lines: LineColumns;
  readonly tags: TagColumns;
  readonly tables: ColumnTables;
}

type JsonState = LogState & { readonly version: number };

/** Keeps `fold`, which has no gaps; undefined for keys that may not read the log. */
export async function writeFoldCopy(
  { keys, cache }: Pick<LogSource, 'keys' | 'cache'>,
  fold: Fold,
  random: Random,
): Promise<FoldCopyMark | undefined> {
  if (keys.shared.log === undefined) return undefined;
  const key = copyKey(keys);
  // Every command opens it.
  const bytes = sealState(encodeCopy(stateOfFold(fold)), keys, random, { isCompressed: false });
  await cache.write(key, bytes);
  return { key, hash: sha256Hex(bytes) };
}

/** The fold that was kept; undefined where there is none, or it is not the one that is remembered. */
export async function readFoldCopy(
  { keys, cache }: Pick<LogSource, 'keys' | 'cache'>,
  mark: FoldCopyMark | undefined,
): Promise<Fold | undefined> {
  const key = copyKey(keys);
  if (mark?.key !== key) return undefined;
  const bytes = await cache.read(key, mark.hash, maxStateBytes);
  if (bytes === undefined) return undefined;
  try {
    return decodeCopy(openState(bytes, keys, key), key);
  } catch (error) {
    if (isMbkError(error, 'entry-damaged', 'value-invalid', 'role-denied', 'format-unsupported')) return undefined;
    throw error;
  }
}

function encodeCopy(state: LogState): Uint8Array {
  const writer = new ColumnWriter();
  const lines = writeLines(writer, state.lines);
  const tags = writeTags(writer, state.tags);
  const { bytes, tables } = writer.finish();
  const rest = { ...state, lines: [], tags: [], version: formatVersion };
  const head = utf8(JSON.stringify({ form, state: rest, lines, tags, tables } satisfies CopyHead));
  const length = new Uint8Array(lengthBytes);
  viewOf(length).setUint32(0, head.length, true);
  return concatBytes([length, head, bytes]);
}

function decodeCopy(body: Uint8Array, what: string): Fold | undefined {
  const end = lengthBytes + viewOf(body).getUint32(0, true);
  const head = parseJson(body.subarray(lengthBytes, end), what) as CopyHead;
  if (head.form !== form) return undefined;
  const cells = new ColumnReader(body.subarray(end), head.tables);
  return foldOfRows(readLogState(head.state, what), readLines(head.lines, cells), readTags(head.tags, cells));
}

function copyKey({ repository, keysets }: Keys): string {
  return `fold/${repository}-${sha256Hex(utf8([...keysets.keys()].toSorted().join(' '))).slice(0, 16)}`;
}
