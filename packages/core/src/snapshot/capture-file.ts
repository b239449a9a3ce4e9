/**
 * Takes one file of the source into the store.
 *
 * A file that changes while it is read is read twice more, then kept as it was read and marked. One that vanished or
 * cannot be read is a problem, not an error; errors of the store are errors.
 */
import fs from 'node:fs';
import { bufferOfBytes, displayBytes } from '../format/byte-name.ts';
import type { FileContent } from '../format/tree.ts';
import type { RowScan } from '../plugins/row-scan.ts';
import type { CutFileOptions } from './cut-file.ts';
import type { FileStorer, OpenFile } from './file-storer.ts';
import { isUnchanged, problemOf, sourceFacts, type SourceFacts, type SourceProblem } from './source-facts.ts';
import type { WalkedFile } from './walk.ts';

export type Capture =
  | {
      readonly kind: 'captured';
      /** As of just before the bytes were read. */
      readonly facts: SourceFacts;
      readonly content: FileContent;
      readonly zeroBytes: number;
      readonly rows?: RowScan | undefined;
      /** Whether it changed while it was read, every time. */
      readonly changed: boolean;
    }
  | { readonly kind: 'problem'; readonly problem: SourceProblem };

export interface CaptureOptions {
  readonly storer: FileStorer;
  /** How to cut an open file: its layout is checked for its size. Called before each reading; by its content unless given. */
  readonly cutOf?: (file: OpenSource) => Promise<Omit<CutFileOptions, 'size' | 'signal'>>;
  readonly signal?: AbortSignal | undefined;
}

/** A file that is open for reading, until `captureFile` is done with it. */
export interface OpenSource extends OpenFile {
  readonly walked: WalkedFile;
  /** As of its opening; its size is how much will be read. */
  readonly facts: SourceFacts;
}

/** How often a file is read at most. */
const readings = 3;

export async function captureFile(walked: WalkedFile, options: CaptureOptions): Promise<Capture> {
  for (let reading = 1; ; reading += 1) {
    const capture = await captureOnce(walked, options);
    if (capture.kind === 'problem' || !capture.changed || reading === readings) return capture;
  }
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

async function captureOnce(walked: WalkedFile, { storer, cutOf, signal }: CaptureOptions): Promise<Capture> {
  /** Set when a call for the source failed: only then is an error a problem of the source. */
  let failure: unknown;
  const attempt = <T>(call: () => T): T => {
    try {
      return call();
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  let fd: number | undefined;
  try {
    // Without O_NONBLOCK a pipe that took the file's place would make the backup wait for ever.
    const opened = attempt(() => fs.openSync(bufferOfBytes(walked.location), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    fd = opened;
    const stats = attempt(() => fs.fstatSync(opened));
    if (!stats.isFile()) return replaced(walked);
    const facts = sourceFacts(stats);
    const read: OpenFile['read'] = (into, position) => {
      return attempt(() => fs.readSync(opened, into, 0, into.length, position));
    };
    const how = await cutOf?.({ walked, facts, fd: opened, read });
    const stored = await storer.store({ fd: opened, read }, { ...how, size: facts.size, signal });
    const { content } = stored;
    const after = sourceFacts(attempt(() => fs.fstatSync(opened)));
    const changed = content.size !== facts.size || !isUnchanged(facts, after);
    return { kind: 'captured', facts, ...stored, changed };
  } catch (error) {
    if (failure !== error && !isReadError(error)) throw error;
    return { kind: 'problem', problem: problemOf(error, walked.path, 'reading') };
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Whether reading the source failed in another thread, which reads nothing else. */
function isReadError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'read';
}

function replaced({ path }: WalkedFile): Capture {
  const message = `${displayBytes(path)} was replaced by something that is no file`;
  return { kind: 'problem', problem: { path, reason: 'vanished', message } };
}
