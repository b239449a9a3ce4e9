/**
 * The opcodes of Python's pickle, protocols 0 to 5 (Lib/pickletools.py), cut out of bytes one by one. Decoding looks
 * at the argument and at nothing else: no name is looked up, no object made.
 */

/** What follows the opcode's byte. */
type ArgumentForm =
  | 'none'
  /** A number of that many bytes, little-endian. */
  | 'u1'
  | 'u2'
  | 'i4'
  | 'u4'
  | 'u8'
  /** Eight bytes of a float, big-endian. */
  | 'f8'
  /** Bytes after a length of that many bytes. */
  | 'bytes1'
  | 'bytes4'
  | 'bytes8'
  | 'text1'
  | 'text4'
  | 'text8'
  | 'long1'
  | 'long4'
  /** Text to the end of the line, or of the second line. */
  | 'line'
  | 'lines';

const forms: Readonly<Record<string, readonly [name: string, form: ArgumentForm]>> = {
  '(': ['MARK', 'none'],
  '.': ['STOP', 'none'],
  '0': ['POP', 'none'],
  '1': ['POP_MARK', 'none'],
  '2': ['DUP', 'none'],
  F: ['FLOAT', 'line'],
  I: ['INT', 'line'],
  J: ['BININT', 'i4'],
  K: ['BININT1', 'u1'],
  L: ['LONG', 'line'],
  M: ['BININT2', 'u2'],
  N: ['NONE', 'none'],
  P: ['PERSID', 'line'],
  Q: ['BINPERSID', 'none'],
  R: ['REDUCE', 'none'],
  S: ['STRING', 'line'],
  T: ['BINSTRING', 'bytes4'],
  U: ['SHORT_BINSTRING', 'bytes1'],
  V: ['UNICODE', 'line'],
  X: ['BINUNICODE', 'text4'],
  a: ['APPEND', 'none'],
  b: ['BUILD', 'none'],
  c: ['GLOBAL', 'lines'],
  d: ['DICT', 'none'],
  '}': ['EMPTY_DICT', 'none'],
  e: ['APPENDS', 'none'],
  g: ['GET', 'line'],
  h: ['BINGET', 'u1'],
  i: ['INST', 'lines'],
  j: ['LONG_BINGET', 'u4'],
  l: ['LIST', 'none'],
  ']': ['EMPTY_LIST', 'none'],
  o: ['OBJ', 'none'],
  p: ['PUT', 'line'],
  q: ['BINPUT', 'u1'],
  r: ['LONG_BINPUT', 'u4'],
  s: ['SETITEM', 'none'],
  t: ['TUPLE', 'none'],
  ')': ['EMPTY_TUPLE', 'none'],
  u: ['SETITEMS', 'none'],
  G: ['BINFLOAT', 'f8'],
  B: ['BINBYTES', 'bytes4'],
  C: ['SHORT_BINBYTES', 'bytes1'],
  '\x80': ['PROTO', 'u1'],
  '\x81': ['NEWOBJ', 'none'],
  '\x82': ['EXT1', 'u1'],
  '\x83': ['EXT2', 'u2'],
  '\x84': ['EXT4', 'i4'],
  '\x85': ['TUPLE1', 'none'],
  '\x86': ['TUPLE2', 'none'],
  '\x87': ['TUPLE3', 'none'],
  '\x88': ['NEWTRUE', 'none'],
  '\x89': ['NEWFALSE', 'none'],
  '\x8a': ['LONG1', 'long1'],
  '\x8b': ['LONG4', 'long4'],
  '\x8c': ['SHORT_BINUNICODE', 'text1'],
  '\x8d': ['BINUNICODE8', 'text8'],
  '\x8e': ['BINBYTES8', 'bytes8'],
  '\x8f': ['EMPTY_SET', 'none'],
  '\x90': ['ADDITEMS', 'none'],
  '\x91': ['FROZENSET', 'none'],
  '\x92': ['NEWOBJ_EX', 'none'],
  '\x93': ['STACK_GLOBAL', 'none'],
  '\x94': ['MEMOIZE', 'none'],
  '\x95': ['FRAME', 'u8'],
  '\x96': ['BYTEARRAY8', 'bytes8'],
  '\x97': ['NEXT_BUFFER', 'none'],
  '\x98': ['READONLY_BUFFER', 'none'],
};

const byCode: ReadonlyMap<number, readonly [name: string, form: ArgumentForm]> = new Map(
  Object.entries(forms).map(([char, form]) => [char.charCodeAt(0), form]),
);

export interface Opcode {
  /** As pickletools names it. */
  readonly name: string;
  readonly offset: number;
  /**
   * A number where it is a safe integer; text as a string (both lines of GLOBAL and INST joined by a newline);
   * undefined for no argument, for bytes, for text above 64 KiB and for numbers too large.
   */
  readonly argument: number | string | undefined;
  /** Of the next opcode. */
  readonly next: number;
}

/** The stream ends within an opcode, or a byte is no opcode. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Python has no limit; names and keys of real checkpoints stay far below. */
const longestText = 65_536;

/** The opcode at `offset` of the stream. PickleError. */
export function decodeOpcode(bytes: Uint8Array, offset: number): Opcode {
  const code = bytes[offset];
  if (code === undefined) throw new PickleError('the stream ends without STOP', offset);
  const found = byCode.get(code);
  if (found === undefined) throw new PickleError(`0x${code.toString(16)} is no opcode`, offset);
  const [name, form] = found;
  const { argument, next } = decodeArgument(bytes, offset + 1, form);
  return { name, offset, argument, next };
}

/**
 * Places of the memo that a pickle takes values from, up to its STOP or to where it breaks; undefined for more than
 * `most`, and where the bytes end before. A checkpoint puts ten values for each tensor there and takes out a few in all.
 */
export function fetchedPlaces(bytes: Uint8Array, most: number): ReadonlySet<number> | undefined {
  const places = new Set<number>();
  for (let at = 0; at < bytes.length;) {
    const code = bytes[at] ?? 0;
    const form = byCode.get(code)?.[1];
    if (code === 0x2e || form === undefined) return places;
    const next = endOf(bytes, at + 1, form);
    if (next > bytes.length) return undefined;
    if (code === 0x67 || code === 0x68 || code === 0x6a)
      places.add(Number(decodeArgument(bytes, at + 1, form).argument));
    if (places.size > most) return undefined;
    at = next;
  }
  return undefined;
}

/** Of the next opcode, whose argument begins at `at`; beyond the stream where it is cut. */
function endOf(bytes: Uint8Array, at: number, form: ArgumentForm): number {
  if (form === 'none') return at;
  if (form === 'line' || form === 'lines') {
    const first = bytes.indexOf(0x0a, at);
    const end = form === 'lines' && first >= 0 ? bytes.indexOf(0x0a, first + 1) : first;
    return end < 0 ? Infinity : end + 1;
  }
  const width = Number(form.at(-1));
  if (!/^(?:bytes|text|long)/.test(form)) return at + width;
  let length = 0;
  for (let index = width - 1; index >= 0; index -= 1) length = length * 256 + (bytes[at + index] ?? 0);
  return at + width + length;
}

interface Argument {
  readonly argument: number | string | undefined;
  readonly next: number;
}

function decodeArgument(bytes: Uint8Array, at: number, form: ArgumentForm): Argument {
  switch (form) {
    case 'none':
      return { argument: undefined, next: at };
    case 'u1':
      return { argument: numberAt(bytes, at, 1), next: at + 1 };
    case 'u2':
      return { argument: numberAt(bytes, at, 2), next: at + 2 };
    case 'u4':
      return { argument: numberAt(bytes, at, 4), next: at + 4 };
    case 'i4':
      return { argument: (numberAt(bytes, at, 4) ?? 0) | 0, next: at + 4 };
    case 'u8':
      return { argument: numberAt(bytes, at, 8), next: at + 8 };
    case 'f8':
      numberAt(bytes, at, 8);
      return { argument: undefined, next: at + 8 };
    case 'line':
    case 'lines':
      return lineAt(bytes, at, form === 'lines');
    default:
      return sizedAt(bytes, at, form);
  }
}

function sizedAt(bytes: Uint8Array, at: number, form: ArgumentForm): Argument {
  const width = Number(form.at(-1));
  const length = numberAt(bytes, at, width);
  const start = at + width;
  if (length === undefined || length > bytes.length - start) {
    throw new PickleError('an argument is longer than the stream', at);
  }
  const next = start + length;
  // Old pickles write keys as byte strings, so these are text too as far as names go.
  if (form.startsWith('long')) return { argument: longAt(bytes, start, length), next };
  const argument = length > longestText ? undefined : textOf(bytes.subarray(start, next));
  return { argument, next };
}

function numberAt(bytes: Uint8Array, at: number, width: number): number | undefined {
  if (at + width > bytes.length) throw new PickleError('the stream ends within an opcode', at);
  let value = 0;
  for (let index = width - 1; index >= 0; index -= 1) value = value * 256 + (bytes[at + index] ?? 0);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Two's complement, little-endian, any length. */
function longAt(bytes: Uint8Array, at: number, length: number): number | undefined {
  if (length > 8) return undefined;
  let value = 0n;
  for (let index = length - 1; index >= 0; index -= 1) value = value * 256n + BigInt(bytes[at + index] ?? 0);
  const signed = BigInt.asIntN(length * 8, value);
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : undefined;
}

function lineAt(bytes: Uint8Array, at: number, isDouble: boolean): Argument {
  const first = bytes.indexOf(0x0a, at);
  const end = isDouble && first >= 0 ? bytes.indexOf(0x0a, first + 1) : first;
  if (end < 0) throw new PickleError('a line does not end', at);
  return { argument: end - at > longestText ? undefined : textOf(bytes.subarray(at, end)), next: end + 1 };
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
