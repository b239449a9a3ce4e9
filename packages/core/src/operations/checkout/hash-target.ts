import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { throwIfInterrupted } from '../../backend/interrupted.ts';
import type { ByteString } from '../../format/byte-name.ts';
import { inTarget } from '../../snapshot/target-error.ts';
import type { TargetFolder } from '../../snapshot/target-folder.ts';

const readBytes = 1024 * 1024;

/** SHA-256 of the file at `path` in the target, in hex; undefined if no file is there. */
export async function hashTargetFile(
  target: TargetFolder,
  path: ByteString,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const fd = target.open(path);
  if (fd === undefined) return undefined;
  try {
    const hash = createHash('sha256');
    const buffer = new Uint8Array(readBytes);
    for (let position = 0; ;) {
      const at = position;
      const read = inTarget(path, 'reading', () => fs.readSync(fd, buffer, 0, readBytes, at));
      if (read === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, read));
      position += read;
      if (position % (16 * readBytes) === 0) await setImmediate();
      throwIfInterrupted(signal, 'reading the target');
    }
  } finally {
    fs.closeSync(fd);
  }
}
