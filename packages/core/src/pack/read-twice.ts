import { isMbkError } from '../errors.ts';

/** Whether `error` says that bytes are not what they should be, rather than that they could not be had. */
export function isDamage(error: unknown): boolean {
  return isMbkError(error, 'entry-damaged', 'value-invalid', 'backend-read-short');
}

/** What `read` gives; when it meets damage it is called once more, since a cable or a memory error may not come twice. */
export async function readTwice<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  return read();
}
