/**
 * Layouts: where the tensors of a file lie (docs/format.md, Chunking and Trees).
 *
 * A plugin makes them from a file's header, so a layout is as hostile as the file; a wrong one costs compression only,
 * as long as its spans are apart and inside the file, which `checkLayout` guarantees.
 */
import { MbkError } from '../errors.ts';
import { canonicalText, type JsonValue, parseJson } from './canonical-json.ts';
import { readFields } from './fields.ts';
import { limits, parameters } from './limits.ts';

export interface Layout {
  /** What holds the tensors, e.g. `gguf`. */
  readonly container: string;
  /** In the order of their offsets; spans do not overlap. Those of no bytes may lie anywhere. */
  readonly tensors: readonly TensorSpan[];
}

export interface TensorSpan extends TensorHints {
  readonly name: string;
  /** Element or block type, e.g. `bf16`, `q8_0`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes; may be 0. */
  readonly length: number;
  /** Bytes of one element or block: pieces are multiples of it. 1 to `parameters.pieceBytes`. */
  readonly unit: number;
  /** Of the elements; little-endian unless it says otherwise. */
  readonly byteOrder?: 'big';
}

/** What finds a tensor that another may be built upon. */
export interface TensorHints {
  /** Of its first numbers: what they become as another type, by the name of that (docs/format.md, The derive codec). */
  readonly probes?: Probes | undefined;
  /** A few of its bytes, 64 hex digits. */
  readonly sketch?: string | undefined;
}

/** By the names of recipes: 8 hex digits. */
export type Probes = Readonly<Record<string, string>>;

/** Longest text of a name, dtype or container, most dimensions of a tensor. */
const textMax = 65_536;
const dimensionsMax = 64;
/** Most probes of a tensor. */
const probesMax = 32;
/** Bytes of a sketch. */
export const sketchBytes = 32;

/** `layout` itself; `value-invalid` unless its spans are in order, apart and inside a file of `size` bytes. */
export function checkLayout(layout: Layout, size: number, what: string): Layout {
  let end = 0;
  for (const { name, offset, length, unit } of layout.tensors) {
    const tensor = `${what}: tensor ${JSON.stringify(name.slice(0, 100))}`;
    const isCounted = isCount(offset) && isCount(length) && length <= size - offset;
    if (!isCounted || (length > 0 && offset < end)) {
      throw new MbkError(
        'value-invalid',
        `${tensor} at ${offset} + ${length} overlaps or leaves the file of ${size} bytes`,
      );
    }
    if (!isCount(unit) || unit < 1 || unit > parameters.pieceBytes) {
      throw new MbkError('value-invalid', `${tensor}: unit ${unit}, expected 1 to ${parameters.pieceBytes} bytes`);
    }
    if (length === 0) continue;
    end = offset + length;
  }
  return layout;
}

/** Canonical bytes of a layout that was checked, with these hints; undefined if they are more than a blob may have. */
export function encodeLayout(
  { container, tensors }: Layout,
  hintsOf: (tensor: TensorSpan) => TensorHints | undefined = (tensor) => tensor,
): Uint8Array | undefined {
  // Written tensor by tensor: of a hundred thousand, all text and all bytes would else be there together.
  let bytes = Buffer.allocUnsafeSlow(firstBytes);
  let length = 0;
  const write = (text: string): void => {
    const most = length + text.length * 3;
    if (most > bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(most, bytes.length * 2));
      bytes.copy(grown, 0, 0, length);
      bytes = grown;
    }
    length += bytes.write(text, length);
  };
  write(`{"container":${canonicalText(container)},"tensors":[`);
  let separator = '';
  for (const tensor of tensors) {
    write(separator + canonicalText(tensorRecord(tensor, hintsOf(tensor))));
    if (length > limits.blobBytes) return undefined;
    separator = ',';
  }
  write('],"type":"layout"}');
  return length <= limits.blobBytes ? new Uint8Array(bytes.buffer, 0, length) : undefined;
}

/** What most layouts fit into. */
const firstBytes = 65_536;

/** The members of the record, and no others. */
function tensorRecord(
  { byteOrder, dtype, length, name, offset, shape, unit }: TensorSpan,
  { probes, sketch }: TensorHints = {},
): JsonValue {
  return { byteOrder, dtype, length, name, offset, probes, shape, sketch, unit };
}

/** The layout of `bytes`, a blob named `what`, of a file of `size` bytes; `value-invalid`. */
export function decodeLayout(bytes: Uint8Array, size: number, what: string): Layout {
  if (bytes.byteLength > limits.blobBytes) {
    throw new MbkError('value-invalid', `${what}: ${bytes.byteLength} bytes, a blob has at most ${limits.blobBytes}`);
  }
  const fields = readFields(parseJson(bytes, what), what);
  fields.literal('type', 'layout');
  const layout = {
    container: fields.string('container', { max: textMax }),
    tensors: fields.array('tensors', decodeTensor, { max: limits.layoutTensors }),
  };
  return checkLayout(layout, size, what);
}

function decodeTensor(value: unknown, what: string): TensorSpan {
  const fields = readFields(value, what);
  const byteOrder = fields.optional('byteOrder', (f) => f.literal('byteOrder', 'big'));
  const probes = fields.optional('probes', (f) => decodeProbes(f.raw('probes'), `${what}: probes`));
  const sketch = fields.optional('sketch', (f) => f.hex('sketch', sketchBytes));
  return {
    name: fields.string('name', { max: textMax }),
    dtype: fields.string('dtype', { max: textMax }),
    shape: fields.array('shape', decodeDimension, { max: dimensionsMax }),
    offset: fields.int('offset'),
    length: fields.int('length'),
    unit: fields.int('unit', { min: 1, max: parameters.pieceBytes }),
    ...(byteOrder === undefined ? {} : { byteOrder }),
    ...(probes === undefined ? {} : { probes }),
    ...(sketch === undefined ? {} : { sketch }),
  };
}

function decodeProbes(value: unknown, what: string): Probes {
  const fields = readFields(value, what);
  const names = Object.keys(value as object);
  if (names.length > probesMax) throw new MbkError('value-invalid', `${what}: expected at most ${probesMax} of them`);
  return Object.fromEntries(names.map((name) => [name, fields.hex(name, 4)]));
}

function decodeDimension(value: unknown, what: string): number {
  if (isCount(value)) return value;
  throw new MbkError('value-invalid', `${what}: expected a whole number`);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
