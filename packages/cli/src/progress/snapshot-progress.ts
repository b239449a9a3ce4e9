/** How far a snapshot is. Its end is known as soon as the walk is through, which is long before the files are read. */

import { displayBytes, encodeByteText } from '@mbk/core';
import type { SnapshotProgress } from '@mbk/core';
import { escapeForTerminal } from '../escape.ts';
import type { InterruptionAdvice } from '../interruption.ts';
import { formatBytes } from '../quantities.ts';
import { fileFacts, paceFields } from './facts.ts';
import type { ReadProgress } from './live-line.ts';
import { startMeter } from './meter.ts';

export interface SnapshotProgressReader {
  readonly read: ReadProgress;
  /** What an interruption now leaves. */
  readonly advise: () => InterruptionAdvice;
}

/** Reads what `latest` gives, which is undefined before the first file. */
export function snapshotProgress(
  latest: () => SnapshotProgress | undefined,
  now: () => number,
): SnapshotProgressReader {
  const meter = startMeter(now);
  const read: ReadProgress = () => {
    const { files, foundFiles, foundBytes, isWalked, newBytes, storedBytes, path } = latest() ?? none;
    const { bytes, knownBytes } = amounts(latest() ?? none);
    const totalBytes = isWalked ? Math.max(foundBytes, bytes) : undefined;
    const totalFiles = isWalked ? foundFiles : undefined;
    const pace = meter(bytes, totalBytes);
    return {
      view: {
        facts: fileFacts({ files, bytes }, { files: totalFiles, bytes: totalBytes }, pace),
        more: [`${formatBytes(newBytes)} new, ${formatBytes(knownBytes)} known`],
        path: escapeForTerminal(displayBytes(path)),
      },
      fields: {
        files,
        totalFiles: totalFiles ?? null,
        bytes,
        totalBytes: totalBytes ?? null,
        newBytes,
        knownBytes,
        storedBytes,
        ...paceFields(pace),
        path: encodeByteText(path),
      },
    };
  };
  const advise = (): InterruptionAdvice => {
    const { files, storedBytes } = latest() ?? none;
    const kept =
      storedBytes === 0
        ? 'no snapshot was made, and nothing was stored yet'
        : `no snapshot was made, but the ${formatBytes(storedBytes)} that were stored so far are kept`;
    return {
      kept,
      goOn: 'Run the same command again: what is kept is not stored a second time.',
      details: { files, storedBytes },
    };
  };
  return { read, advise };
}

const none: SnapshotProgress = {
  files: 0,
  bytes: 0,
  readBytes: 0,
  foundFiles: 0,
  foundBytes: 0,
  isWalked: false,
  cutBytes: 0,
  newBytes: 0,
  storedBytes: 0,
  path: '',
};

/** Bytes that are gone through, those of files under way among them, and how many of them were stored before. */
function amounts({ bytes, readBytes, cutBytes, newBytes }: SnapshotProgress): {
  readonly bytes: number;
  readonly knownBytes: number;
} {
  const unread = bytes - readBytes;
  return { bytes: Math.max(bytes, unread + cutBytes), knownBytes: unread + Math.max(0, cutBytes - newBytes) };
}
