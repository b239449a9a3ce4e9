/**
 * A file that comes as a stream, such as the output of a program: read once, cut and hashed on the way, never kept whole.
 *
 * It takes the place of a source: a walk of one file, and a taker of it. No plugin sees it, because plugins read here and
 * there; so it is cut by its content.
 */
import type { GearTable } from '../chunker/gear.ts';
import { MbkError } from '../errors.ts';
import { isRelativePath, joinBytes, displayBytes, type ByteString } from '../format/byte-name.ts';
import { readBytes, type FileReader } from './cut-file.ts';
import { fileStorer, type OpenFile } from './file-storer.ts';
import { timeOfMs } from './file-time.ts';
import type { CaptureStore, FileTaker } from './pipeline/file-taker.ts';
import type { SourceFacts } from './source-facts.ts';
import type { WalkAhead } from './walk-ahead.ts';
import type { WalkEvent } from './walk.ts';

export interface StreamedFile {
  /** Where it is to be in the snapshot: names joined by `/`. */
  readonly path: ByteString;
  readonly owner: readonly [uid: number, gid: number];
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** A walk of nothing but the file, as of `now`. Errors: `usage-invalid` for what is no path. */
export function walkStreamed({ path, owner }: StreamedFile, now: number): WalkAhead {
  if (!isRelativePath(path)) {
    throw new MbkError('usage-invalid', `${JSON.stringify(displayBytes(path))} is no path in a snapshot`);
  }
  const names = path.split('/');
  const facts = (mode: number): SourceFacts => ({
    dev: 0,
    ino: 0,
    links: 1,
    size: 0,
    sparse: false,
    mode,
    owner,
    mtime: timeOfMs(now),
    mtimeMs: now,
    ctimeMs: now,
  });
  return {
    *events(): Generator<WalkEvent> {
      const folders = ['', ...names.slice(0, -1)];
      const paths: ByteString[] = [];
      for (const name of folders) {
        const at = joinBytes(paths.at(-1) ?? '', name);
        paths.push(name === '' ? '' : at);
        yield { type: 'enter', path: paths.at(-1) ?? '', name, facts: facts(0o755) };
      }
      yield { type: 'file', path, name: names.at(-1) ?? '', facts: facts(0o644), location: '' };
      for (const at of paths.toReversed()) yield { type: 'leave', path: at };
    },
    close: () => undefined,
  };
}

export interface StreamTakerOptions {
  readonly store: CaptureStore;
  readonly gear: GearTable;
  readonly stream: StreamedFile;
  readonly signal?: AbortSignal | undefined;
}

/** Takes the file of `walkStreamed`. `take` rejects with 'source-absent' when the stream fails or is empty, 'interrupted'. */
export function streamTaker({ store, gear, stream, signal }: StreamTakerOptions): FileTaker {
  return {
    async take(walked, destination) {
      const storer = fileStorer({ store: (type, bytes) => store.store(type, bytes, destination), gear });
      const file: OpenFile = { fd: -1, ...streamReader(stream, signal) };
      const { content, zeroBytes } = await storer.store(file, { size: Number.MAX_SAFE_INTEGER, signal });
      if (content.size === 0) {
        throw new MbkError('source-absent', 'standard input is empty', {
          remedy: 'Check the program before the pipe; `set -o pipefail` makes its failure count.',
        });
      }
      const facts = { ...walked.facts, size: content.size };
      return { capture: { kind: 'captured', facts, content, zeroBytes, changed: false }, asset: undefined };
    },
    hurry: () => undefined,
    finish: async () => undefined,
    close: async () => undefined,
  };
}

/** Reads a stream ahead by as much as one read takes. */
function streamReader({ bytes }: StreamedFile, signal: AbortSignal | undefined): Required<FileReader> {
  const parts = bytes[Symbol.asyncIterator]();
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let isDone = false;
  return {
    async ready() {
      while (heldBytes < readBytes && !isDone) {
        const { done, value } = await nextOr(parts, signal);
        if (done === true) isDone = true;
        else {
          held.push(value);
          heldBytes += value.length;
        }
      }
    },
    read(into) {
      let filled = 0;
      while (filled < into.length) {
        const [first] = held;
        if (first === undefined) break;
        const part = first.subarray(0, into.length - filled);
        into.set(part, filled);
        filled += part.length;
        held = part.length === first.length ? held.slice(1) : [first.subarray(part.length), ...held.slice(1)];
      }
      heldBytes -= filled;
      return filled;
    },
  };
}

/** The next part, or the reason of the signal: the program before the pipe may say nothing for hours. */
async function nextOr(
  parts: AsyncIterator<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<IteratorResult<Uint8Array, unknown>> {
  signal?.throwIfAborted();
  const stopped = Promise.withResolvers<never>();
  const stop = (): void => stopped.reject(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([parts.next(), stopped.promise]);
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MbkError('source-absent', `standard input cannot be read: ${why}`, { cause });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
