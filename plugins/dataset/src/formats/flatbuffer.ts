/** Reads tables of a FlatBuffer, every position checked; a FlatBufferError where one lies outside. */

export class FlatBufferError extends Error {}

/** Position of a table in its buffer. */
export interface FlatTable {
  /** Position of a field's value; undefined where the table leaves it out. */
  field(index: number): number | undefined;
  i8(index: number, otherwise: number): number;
  i16(index: number, otherwise: number): number;
  i32(index: number, otherwise: number): number;
  /** A FlatBufferError beyond 2^53. */
  i64(index: number, otherwise: number): number;
  table(index: number): FlatTable | undefined;
  text(index: number): string | undefined;
  /** Position of the first item and how many there are, each of so many bytes. */
  vector(index: number, itemBytes: number): { readonly at: number; readonly count: number } | undefined;
  /** The tables of a vector of tables. */
  tables(index: number, most: number): readonly FlatTable[];
  /** The first of them. */
  firstTable(index: number): FlatTable | undefined;
  /** Numbers at a position that `vector` gave. */
  i32At(at: number): number;
  i64At(at: number): number;
}

/** The root table of a buffer. */
export function flatRoot(bytes: Uint8Array): FlatTable {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const guarded = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      if (error instanceof RangeError) throw new FlatBufferError('a position lies outside');
      throw error;
    }
  };
  const i64At = (at: number): number =>
    guarded(() => {
      const value = Number(view.getBigInt64(at, true));
      if (!Number.isSafeInteger(value)) throw new FlatBufferError('a number beyond 2^53');
      return value;
    });
  const u32 = (at: number): number => guarded(() => view.getUint32(at, true));
  const i32At = (at: number): number => guarded(() => view.getInt32(at, true));
  const tableAt = (at: number): FlatTable => {
    const vtable = at - i32At(at);
    const vtableBytes = guarded(() => view.getUint16(vtable, true));
    const field = (index: number): number | undefined => {
      if (6 + 2 * index > vtableBytes) return undefined;
      const offset = guarded(() => view.getUint16(vtable + 4 + 2 * index, true));
      return offset === 0 ? undefined : at + offset;
    };
    const number = (index: number, otherwise: number, read: (place: number) => number): number => {
      const place = field(index);
      return place === undefined ? otherwise : guarded(() => read(place));
    };
    const vector: FlatTable['vector'] = (index, itemBytes) => {
      const place = field(index);
      if (place === undefined) return undefined;
      const start = place + u32(place);
      const count = u32(start);
      if (start + 4 + count * itemBytes > bytes.length) throw new FlatBufferError('a list goes on behind the end');
      return { at: start + 4, count };
    };
    return {
      field,
      i8: (index, otherwise) => number(index, otherwise, (place) => view.getUint8(place)),
      i16: (index, otherwise) => number(index, otherwise, (place) => view.getInt16(place, true)),
      i32: (index, otherwise) => number(index, otherwise, (place) => view.getInt32(place, true)),
      i64: (index, otherwise) => number(index, otherwise, i64At),
      table(index) {
        const place = field(index);
        return place === undefined ? undefined : tableAt(place + u32(place));
      },
      text(index) {
        const found = vector(index, 1);
        return found && new TextDecoder().decode(bytes.subarray(found.at, found.at + Math.min(found.count, 4096)));
      },
      vector,
      tables(index, most) {
        const found = vector(index, 4);
        if (found === undefined) return [];
        if (found.count > most) throw new FlatBufferError(`a list of ${found.count} tables`);
        return Array.from({ length: found.count }, (_, item) => {
          const place = found.at + 4 * item;
          return tableAt(place + u32(place));
        });
      },
      firstTable(index) {
        const found = vector(index, 4);
        return found === undefined || found.count === 0 ? undefined : tableAt(found.at + u32(found.at));
      },
      i32At,
      i64At,
    };
  };
  return tableAt(u32(0));
}
