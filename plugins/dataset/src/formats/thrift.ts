/**
 * Thrift's compact protocol, read without making values of what nobody asked for: the caller takes the fields that it
 * knows, the rest is skipped. Costs no memory and at most a step for each byte, whatever the bytes say.
 */

export const thriftTypes = { true: 1, false: 2, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;

/** The bytes are no Thrift. */
export class ThriftError extends Error {}

export interface ThriftReader {
  /** Calls `field` for each field of a struct, which either reads the value and returns true, or returns false. */
  struct(field: (id: number, type: number) => boolean): void;
  /** Calls `item` for each element of a list, which has to read it; a ThriftError for elements of another type. */
  list(type: number, item: (index: number, count: number) => void): void;
  /** A zigzag number; a ThriftError beyond 2^53. */
  int(): number;
  binary(): Uint8Array;
  /** Of the next byte. */
  offset(): number;
}

const deepest = 32;

export function thriftReader(bytes: Uint8Array): ThriftReader {
  let at = 0;
  let depth = 0;

  const u8 = (): number => {
    const byte = bytes[at];
    if (byte === undefined) throw new ThriftError('it ends too early');
    at += 1;
    return byte;
  };
  const varint = (): number => {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count += 1) {
      const byte = u8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw new ThriftError('a number of more than ten bytes');
  };
  const int = (): number => {
    const value = varint();
    if (value > Number.MAX_SAFE_INTEGER) throw new ThriftError('a number beyond 2^53');
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  };
  const binary = (): Uint8Array => {
    const length = varint();
    if (length > bytes.length - at) throw new ThriftError('a string that goes on behind the end');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const listHead = (): { readonly type: number; readonly count: number } => {
    const head = u8();
    const count = head >> 4 === 15 ? varint() : head >> 4;
    if (count > bytes.length - at) throw new ThriftError('a list that is longer than the bytes that are left');
    return { type: head & 0x0f, count };
  };
  const nested = (read: () => void): void => {
    depth += 1;
    if (depth > deepest) throw new ThriftError(`nested more than ${deepest} deep`);
    read();
    depth -= 1;
  };
  const struct = (field: (id: number, type: number) => boolean): void =>
    nested(() => {
      let id = 0;
      for (let head = u8(); (head & 0x0f) !== 0; head = u8()) {
        id = head >> 4 === 0 ? int() : id + (head >> 4);
        if (!field(id, head & 0x0f)) skip(head & 0x0f, false);
      }
    });
  const skip = (type: number, isElement: boolean): void => {
    switch (type) {
      case 1:
      case 2:
        if (isElement) u8();
        break;
      case 3:
        u8();
        break;
      case 4:
      case 5:
      case 6:
        varint();
        break;
      case 7:
        for (let count = 0; count < 8; count += 1) u8();
        break;
      case 8:
        binary();
        break;
      case 9:
      case 10: {
        const list = listHead();
        nested(() => {
          for (let index = 0; index < list.count; index += 1) skip(list.type, true);
        });
        break;
      }
      case 11: {
        const count = varint();
        if (count > bytes.length - at) throw new ThriftError('a map that is longer than the bytes that are left');
        const pair = count === 0 ? 0 : u8();
        nested(() => {
          for (let index = 0; index < count; index += 1) {
            skip(pair >> 4, true);
            skip(pair & 0x0f, true);
          }
        });
        break;
      }
      case 12:
        struct(() => false);
        break;
      default:
        throw new ThriftError(`no type has number ${type}`);
    }
  };
  return {
    struct,
    list(type, item) {
      const { count, type: actual } = listHead();
      if (count > 0 && actual !== type) throw new ThriftError(`a list of type ${actual} instead of ${type}`);
      nested(() => {
        for (let index = 0; index < count; index += 1) item(index, count);
      });
    },
    int,
    binary,
    offset: () => at,
  };
}
