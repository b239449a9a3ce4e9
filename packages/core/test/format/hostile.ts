/** Changes bytes of a record as damage or an attacker would; a decoder must answer each with a value or an MbkError. */
import fc from 'fast-check';
import { MbkError } from '../../src/errors.ts';

export interface ByteChange {
  readonly at: number;
  readonly byte: number;
}

/** A few changed bytes, most of them to what means something in JSON. */
export const byteChanges: fc.Arbitrary<readonly ByteChange[]> = fc.array(
  fc.record({
    at: fc.nat(1_000_000),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('0123456789-.e"\\[]{}:,/ \0'))),
  }),
  { minLength: 1, maxLength: 4 },
);

/** What `decode` makes of the changed bytes; undefined when it refuses them; throws any other error. */
export function decodeChanged<T>(
  bytes: Uint8Array,
  changes: readonly ByteChange[],
  decode: (bytes: Uint8Array) => T,
): T | undefined {
  const changed = bytes.slice();
  for (const { at, byte } of changes) changed[at % changed.length] = byte;
  try {
    return decode(changed);
  } catch (error) {
    if (error instanceof MbkError && error.code === 'value-invalid') return undefined;
    throw error;
  }
}
