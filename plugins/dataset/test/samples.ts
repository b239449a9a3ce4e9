/** Small files of every kind, made here; the same each time. */

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** A member of a tar file: ustar, its checksum right. */
export function tarMember(name: string, data: Uint8Array, type = '0'): Uint8Array {
  const header = new Uint8Array(512);
  const put = (at: number, text: string): void => header.set(utf8(text), at);
  put(0, name);
  put(100, '0000644\0');
  put(108, '0000000\0');
  put(116, '0000000\0');
  put(124, `${data.length.toString(8).padStart(11, '0')}\0`);
  put(136, '00000000000\0');
  put(148, '        ');
  put(156, type);
  put(257, 'ustar\0' + '00');
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return joined(header, data, new Uint8Array((512 - (data.length % 512)) % 512));
}

export const tarEnd: Uint8Array = new Uint8Array(1024);

/** So many samples of an image and a caption. */
export function webDataset(samples: number): Uint8Array {
  const members = Array.from({ length: samples }, (_, index) => {
    const key = String(index).padStart(6, '0');
    return joined(tarMember(`${key}.jpg`, utf8(`image ${index}`)), tarMember(`${key}.txt`, utf8(`caption ${index}`)));
  });
  return joined(...members, tarEnd);
}

/** Thrift's compact protocol, as far as footers need it. */
type Thrift =
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly text: string }
  | { readonly list: readonly Thrift[] }
  | { readonly struct: Readonly<Record<number, Thrift>> };

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  while (left >= 128) {
    bytes.push((left % 128) | 128);
    left = Math.floor(left / 128);
  }
  return [...bytes, left];
}

const zigzag = (value: number): number[] => varint(value < 0 ? -2 * value - 1 : 2 * value);

const typeOf = (value: Thrift): number =>
  'i32' in value ? 5 : 'i64' in value ? 6 : 'text' in value ? 8 : 'list' in value ? 9 : 12;

function written(value: Thrift): number[] {
  if ('i32' in value) return zigzag(value.i32);
  if ('i64' in value) return zigzag(value.i64);
  if ('text' in value) return [...varint(utf8(value.text).length), ...utf8(value.text)];
  if ('list' in value) {
    const { list } = value;
    const type = list[0] === undefined ? 12 : typeOf(list[0]);
    const head = list.length < 15 ? [(list.length << 4) | type] : [0xf0 | type, ...varint(list.length)];
    return [...head, ...list.flatMap(written)];
  }
  let last = 0;
  const fields = Object.entries(value.struct).flatMap(([id, field]) => {
    const delta = Number(id) - last;
    last = Number(id);
    return [(delta << 4) | typeOf(field), ...written(field)];
  });
  return [...fields, 0];
}

export interface ParquetSample {
  readonly rows?: number;
  /** Rows of each row group. */
  readonly groups?: readonly number[];
  readonly columns?: readonly string[];
  /** Moves every column chunk by so many bytes. */
  readonly shift?: number;
  /** What the root says of its children. */
  readonly children?: number;
  /** Values of a chunk beyond its rows. */
  readonly moreValues?: number;
  readonly fill?: number;
}

/** A Parquet file whose pages are made up: eight bytes for each column chunk. */
export function parquet(sample: ParquetSample = {}): Uint8Array {
  const { columns = ['id', 'text'], fill = 7, groups = [3, 2], moreValues = 0, shift = 0 } = sample;
  const { children = columns.length, rows = groups.reduce((a, b) => a + b, 0) } = sample;
  const chunkBytes = 8;
  const start = (group: number, column: number): number => 4 + chunkBytes * (group * columns.length + column);
  const footer = written({
    struct: {
      1: { i32: 2 },
      2: {
        list: [
          { struct: { 4: { text: 'schema' }, 5: { i32: children } } },
          ...columns.map((name): Thrift => ({
            struct: { 1: { i32: 6 }, 3: { i32: 1 }, 4: { text: name }, 6: { i32: 0 } },
          })),
        ],
      },
      3: { i64: rows },
      4: {
        list: groups.map((count, group) => ({
          struct: {
            1: {
              list: columns.map((name, column): Thrift => ({
                struct: {
                  2: { i64: start(group, column) },
                  3: {
                    struct: {
                      1: { i32: 6 },
                      2: { list: [{ i32: 0 }] },
                      3: { list: [{ text: name }] },
                      4: { i32: 1 },
                      5: { i64: count + moreValues },
                      6: { i64: chunkBytes },
                      7: { i64: chunkBytes },
                      9: { i64: start(group, column) + shift },
                    },
                  },
                },
              })),
            },
            2: { i64: chunkBytes * columns.length },
            3: { i64: count },
          },
        })),
      },
      6: { text: 'mbk tests' },
    },
  });
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, footer.length, true);
  const data = new Uint8Array(chunkBytes * columns.length * groups.length).fill(fill);
  return joined(utf8('PAR1'), data, Uint8Array.from(footer), length, utf8('PAR1'));
}
