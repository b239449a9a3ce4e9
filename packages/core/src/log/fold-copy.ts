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
import { utf8 } from '../format/bytes.ts';
import { parseJson } from '../format/canonical-json.ts';
import { formatVersion } from '../format/limits.ts';
import { readLogState, type LogState } from '../format/log-state.ts';
import type { LogSource } from './chain.ts';
import type { Fold } from './fold.ts';
import { foldOfState, stateOfFold } from './fold-state.ts';
import {
  columnsOfLines,
  columnsOfTags,
  linesOfColumns,
  tagsOfColumns,
  type LineColumns,
  type TagColumns,
} from './line-columns.ts';
import type { FoldCopyMark } from './log-memory.ts';
import { maxStateBytes, openState, sealState } from './state-entry.ts';

/** Of the copies that this mbk writes: one of another form is not read. */
const form = 1;

interface CopyBody {
  readonly form: number;
  /** Without lines and tags. */
  readonly state: JsonState;
  readonly lines: LineColumns;
  readonly tags: TagColumns;
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
  const state = stateOfFold(fold);
  const body: CopyBody = {
    form,
    state: { ...state, lines: [], tags: [], version: formatVersion },
    lines: columnsOfLines(state.lines),
    tags: columnsOfTags(state.tags),
  };
  // Every command opens it.
  const bytes = sealState(utf8(JSON.stringify(body)), keys, random, { isCompressed: false });
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
    const body = parseJson(openState(bytes, keys, key), key) as CopyBody;
    if (body.form !== form) return undefined;
    const state = readLogState(body.state, key);
    return foldOfState({ ...state, lines: linesOfColumns(body.lines), tags: tagsOfColumns(body.tags) });
  } catch (error) {
    if (isMbkError(error, 'entry-damaged', 'value-invalid', 'role-denied', 'format-unsupported')) return undefined;
    throw error;
  }
}

function copyKey({ repository, keysets }: Keys): string {
  return `fold/${repository}-${sha256Hex(utf8([...keysets.keys()].toSorted().join(' '))).slice(0, 16)}`;
}
