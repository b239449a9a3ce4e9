/** A file of the source, looked at beside a snapshot: its first bytes, and its SHA-256. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { MbkError } from '../errors.ts';
import { bufferOfBytes, displayBytes, type ByteString } from '../format/byte-name.ts';
import { asBlobId, type BlobId } from '../format/ids.ts';

/** First bytes of a file; undefined if it cannot be read. */
export function headOf(location: ByteString, length: number): Uint8Array | undefined {
  let fd: number | undefined;
  try {
    fd = fs.openSync(
      bufferOfBytes(location),
      fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK,
    );
    const head = new Uint8Array(length);
    return head.subarray(0, fs.readSync(fd, head, 0, length, 0));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/** Errors: `source-absent`. */
export async function sha256Of(location: ByteString): Promise<BlobId> {
  const hash = createHash('sha256');
  try {
    for await (const piece of fs.createReadStream(bufferOfBytes(location))) hash.update(piece as Uint8Array);
  } catch (cause) {
    throw new MbkError('source-absent', `${displayBytes(location)} cannot be read`, { cause });
  }
  return asBlobId(hash.digest('hex'));
}
