/**
 * Reads a pickle for what it would import and call, and does nothing of it. Unlike walkPickle it never stops where the
 * pickle breaks a rule of the stack: what follows is still looked at, because one unpickler may go on where another
 * stops. Payloads are passed over unread; memory and time are bounded whatever the pickle says.
 */

import { type ByteCursor, byteCursor, isLayoutError, type Reader } from '@mbk/plugin-sdk';
import { type CheckpointCode, type Problems, quoted } from '../codes.ts';
import { classOfGlobal } from './globals.ts';
import { decodeOpcode, fetchedPlaces, type Opcode, PickleError } from './opcodes.ts';
import { placeSet } from './place-set.ts';

export interface PickleScanOptions {
  readonly signal: AbortSignal;
  readonly problems: Problems;
  readonly isStrict: boolean;
  /** For messages: the member of an archive, or empty. */
  readonly place: string;
  /** First byte and one past the last that may belong to pickles. */
  readonly start: number;
  readonly end: number;
  /** Where the findings are said to lie, when the bytes are not those of the file itself. */
  readonly at?: number;
}

export interface PickleScan {
  /** One past the STOP; undefined where the pickle has none. */
  readonly end: number | undefined;
  /** Distinct globals as `module.name`, sorted; the first of very many. */
  readonly globals: readonly string[];
  /** Opcodes up to there. */
  readonly opcodes: number;
  readonly protocol: number;
}

const mostOpcodes = 10_000_000;
/** Places of the stack and of the memo, and characters in the memo; beyond them values are forgotten. */
const mostCells = 500_000;
const mostText = 16_000_000;
const longestName = 512;
const mostGlobals = 2000;
/** A payload up to here is decoded, a longer one is skipped; lines end by then. */
const longestPayload = 65_536;

const mark = Symbol('mark');
const other = Symbol('other');
const result = Symbol('result');
interface Global {
  readonly global: string;
}
type Cell = string | Global | typeof mark | typeof other | typeof result;

/** Looks at one pickle, from `start` to its STOP. Only the signal's reason and faults of the reader are thrown. */
export async function scanPickle(reader: Reader, options: PickleScanOptions): Promise<PickleScan> {
  const { end, signal, start } = options;
  const cursor = byteCursor(reader, { format: 'pickle', signal, start, end });
  const machine = scanMachine(options);
  let opcodes = 0;
  try {
    for (;;) {
      const opcode = readyOpcode(cursor) ?? (await nextOpcode(cursor));
      opcodes += 1;
      if (opcode.name === 'STOP') {
        machine.stop(opcode);
        return { end: cursor.offset(), opcodes, ...machine.answer() };
      }
      machine.step(opcode, opcodes === 1);
      if (machine.isCrowded()) machine.keepOnly(await fetchedIn(reader, options));
      if (opcodes >= mostOpcodes) {
        machine.tell(
          'pickle/too-long',
          `goes on beyond ${mostOpcodes} opcodes, the rest is not looked at`,
          opcode.offset,
        );
        break;
      }
    }
  } catch (error) {
    if (error instanceof PickleError) {
      const isCut = error.message.includes('no opcode') ? 'pickle/bad-opcode' : 'pickle/truncated';
      machine.tell(isCut, `cannot be read: ${error.message}`, error.offset);
    } else if (isLayoutError(error)) {
      machine.tell('pickle/truncated', 'ends within an opcode', cursor.offset());
    } else throw error;
  }
  return { end: undefined, opcodes, ...machine.answer() };
}

/** Memo places that are remembered before it is looked which of them are read again: in most pickles hardly any. */
const mostRemembered = 16_384;
/** Bytes of a pickle that are looked through for it. */
const longestPrefix = 1 << 25;

/** The places that a pickle takes values from; undefined where it is too long to tell. */
async function fetchedIn(
  reader: Reader,
  { end, signal, start }: PickleScanOptions,
): Promise<ReadonlySet<number> | undefined> {
  const bytes = await reader.read(start, Math.min(longestPrefix, end - start), { signal });
  return fetchedPlaces(bytes, mostCells);
}

/** Widths of the lengths in front of payloads, by opcode. */
const payloads: Readonly<Record<number, number>> = {
  0x54: 4,
  0x55: 1,
  0x58: 4,
  0x42: 4,
  0x43: 1,
  0x8c: 1,
  0x8d: 8,
  0x8e: 8,
  0x96: 8,
  0x8a: 1,
  0x8b: 4,
};
const lineOpcodes = new Set(Buffer.from('FILPSVcgip'));

/** Bytes of an opcode without a long payload. */
const usualLength = 1024;

/** The next opcode where it stands in the window, as nearly all do: without waiting. */
function readyOpcode(cursor: ByteCursor): Opcode | undefined {
  if (!cursor.has(usualLength)) return undefined;
  const offset = cursor.offset();
  const window = cursor.peek().subarray(0, usualLength);
  const code = window[0] ?? 0;
  const width = payloads[code];
  if (width !== undefined && (window[1] ?? 255) > 250) return undefined;
  if (width !== undefined && window.subarray(2, 1 + width).some((byte) => byte !== 0)) return undefined;
  try {
    const opcode = decodeOpcode(window, 0);
    cursor.take(opcode.next);
    return { ...opcode, offset, next: offset + opcode.next };
  } catch (error) {
    // A line that is longer, or what is no opcode: the slow way tells.
    if (error instanceof PickleError) return undefined;
    throw error;
  }
}

async function nextOpcode(cursor: ByteCursor): Promise<Opcode> {
  const offset = cursor.offset();
  if (cursor.remaining() === 0) throw new PickleError('the stream ends without STOP', offset);
  if (!cursor.has(1)) await cursor.need(1);
  const code = cursor.peek()[0] ?? 0;
  let length = 9;
  const width = payloads[code];
  if (width !== undefined) {
    await want(cursor, 1 + width);
    const head = cursor.peek();
    let size = 0;
    for (let index = width; index >= 1; index -= 1) size = size * 256 + (head[index] ?? 0);
    if (size > cursor.remaining() - 1 - width) throw new PickleError('an argument is longer than the stream', offset);
    if (size > longestPayload) {
      const { name } = decodeOpcode(Uint8Array.of(code, ...new Uint8Array(8)), 0);
      cursor.skip(1 + width + size);
      return { name, offset, argument: undefined, next: cursor.offset() };
    }
    length = 1 + width + size;
    await want(cursor, length);
  } else if (lineOpcodes.has(code)) {
    length = await lengthOfLines(cursor, code === 0x63 || code === 0x69 ? 2 : 1);
  } else if (!cursor.has(length)) {
    length = Math.min(length, cursor.remaining());
    await want(cursor, length);
  }
  const window = cursor.peek();
  const opcode = decodeOpcode(window.length > length ? window.subarray(0, length) : window, 0);
  cursor.take(opcode.next);
  return { ...opcode, offset, next: offset + opcode.next };
}

async function want(cursor: ByteCursor, length: number): Promise<void> {
  if (!cursor.has(length)) await cursor.need(length);
}

/** Bytes of an opcode whose argument is so many lines. */
async function lengthOfLines(cursor: ByteCursor, lines: number): Promise<number> {
  const limit = Math.min(2 * longestPayload, cursor.remaining());
  for (let size = Math.min(512, limit); ; size = Math.min(size * 4, limit)) {
    await want(cursor, size);
    let at = 0;
    for (let line = 0; line < lines && at >= 0; line += 1) at = cursor.peek().indexOf(0x0a, at + 1);
    if (at > 0) return at + 1;
    if (size === limit) throw new PickleError('a line does not end', cursor.offset());
  }
}

interface ScanMachine {
  step(opcode: Opcode, isFirst: boolean): void;
  stop(opcode: Opcode): void;
  /** Whether it remembers so much that it pays to look which places are read again. */
  isCrowded(): boolean;
  /** Forgets all other places, now and from now on; with undefined none. */
  keepOnly(places: ReadonlySet<number> | undefined): void;
  tell(code: CheckpointCode, message: string, offset: number): void;
  answer(): Pick<PickleScan, 'globals' | 'protocol'>;
}

const memoWidths = new Set(['PUT', 'BINPUT', 'LONG_BINPUT']);

function scanMachine({ at, isStrict, place, problems }: PickleScanOptions): ScanMachine {
  const stack: Cell[] = [];
  /** Names in the memo, and all places of it where something was put. */
  const memo = new Map<number, Cell>();
  const places = placeSet();
  const globals = new Set<string>();
  const told = new Set<string>();
  let fetched: ReadonlySet<number> | undefined;
  let isPruned = false;
  let text = 0;
  let protocol = 0;
  let isLost = false;
  let isFull = false;
  let frameEnd = 0;

  const tell = (code: CheckpointCode, message: string, offset: number): void => {
    const where = place === '' ? 'the pickle' : `the pickle ${quoted(place)}`;
    problems.report(code, `${where} ${message}`, { offset: at ?? offset });
  };
  const lose = (message: string, offset: number): void => {
    if (!isLost) tell('pickle/bad-stack', `${message}; loaders stop here`, offset);
    isLost = true;
  };
  const forget = (offset: number): void => {
    if (!isFull) tell('pickle/too-complex', `keeps more than ${mostCells} values, some are forgotten`, offset);
    isFull = true;
  };
  const push = (cell: Cell, offset: number): void => {
    if (stack.length >= mostCells) forget(offset);
    else stack.push(cell);
  };
  const pop = (offset: number): Cell => {
    const cell = stack.pop();
    if (cell === undefined || cell === mark) {
      if (cell === mark) stack.push(mark);
      if (!isFull) lose('takes a value from an empty stack', offset);
      return other;
    }
    return cell;
  };
  const popMany = (count: number, offset: number): void => {
    for (let left = count; left > 0; left -= 1) pop(offset);
  };
  /** The first value above the mark, which OBJ calls. */
  const popToMark = (offset: number): Cell => {
    const place = stack.lastIndexOf(mark);
    if (place < 0) {
      if (!isFull) lose('asks for a mark that is not on the stack', offset);
      return other;
    }
    const first = stack[place + 1] ?? other;
    stack.length = place;
    return first;
  };
  const isTop = (): Cell => stack.at(-1) ?? mark;

  const meet = (module: string, name: string, offset: number): Global => {
    const global = `${module}.${name}`;
    if (globals.size < mostGlobals) globals.add(global);
    const kind = classOfGlobal(module, name);
    if (kind !== 'allowed' && (told.size < mostGlobals ? !told.has(global) : true)) {
      told.add(global);
      tellGlobal(kind, module, name, offset);
    }
    return { global };
  };
  const tellGlobal = (kind: 'dangerous' | 'unknown', module: string, name: string, offset: number): void => {
    const where = place === '' ? '' : ` in ${quoted(place)}`;
    const what = `module ${quoted(module)}, attribute ${quoted(name)}${where}`;
    const isBad = kind === 'dangerous';
    problems.report(
      isBad ? 'pickle/dangerous-global' : 'pickle/unknown-global',
      isBad ? `loading this file would run code of its author: ${what}` : `loading this file imports ${what}`,
      {
        offset: at ?? offset,
        ...(isBad || isStrict ? { severity: 'error' as const } : {}),
        remedy: isBad
          ? 'Do not load it. Get the weights as safetensors, or from a source you trust.'
          : 'Load it with weights_only, or look at what this name does first.',
      },
    );
  };
  const call = (callable: Cell, offset: number): void => {
    if (typeof callable === 'object' || isFull || isLost) return;
    tell('pickle/indirect-call', 'calls something that is no global, such as the result of another call', offset);
  };
  const remember = (key: number, offset: number): void => {
    const cell = isTop();
    if (cell === mark) return lose('puts nothing into the memo', offset);
    const isRead = fetched === undefined || fetched.has(key);
    const hasName = isRead && (typeof cell === 'string' || typeof cell === 'object');
    const size = typeof cell === 'string' ? cell.length : 0;
    const fits = memo.size < mostCells && text + size <= mostText;
    if (hasName && !fits) forget(offset);
    if (hasName && fits) {
      places.add(key);
      memo.set(key, cell);
      text += size;
    } else {
      if (!places.add(key)) forget(offset);
      memo.delete(key);
    }
  };
  const recall = (key: number, offset: number): void => {
    if (!places.has(key) && !isFull) lose(`takes place ${key} of the memo, where nothing was put`, offset);
    push(memo.get(key) ?? other, offset);
  };

  const stackGlobal = (offset: number): void => {
    const name = pop(offset);
    const module = pop(offset);
    if (typeof name === 'string' && typeof module === 'string') return push(meet(module, name, offset), offset);
    tell('pickle/unresolved-global', 'imports a name that it computes, so nobody can tell which', offset);
    push({ global: '?' }, offset);
  };

  const step = ({ argument, name, next, offset }: Opcode, isFirst: boolean): void => {
    if (frameEnd > 0 && offset < frameEnd && next > frameEnd && name !== 'FRAME') {
      tell('pickle/bad-frame', 'has an opcode that crosses the end of its frame', offset);
      frameEnd = 0;
    }
    switch (name) {
      case 'PROTO':
        protocol = Number(argument);
        if (protocol > 5) tell('pickle/bad-protocol', `says protocol ${protocol}, of at most 5`, offset);
        if (!isFirst) tell('pickle/misplaced-protocol', 'names its protocol again, behind its first opcode', offset);
        return;
      case 'FRAME':
        if (typeof argument === 'number') frameEnd = next + argument;
        return;
      case 'READONLY_BUFFER':
        return;
      case 'MARK':
        return push(mark, offset);
      case 'POP':
        if (stack.pop() === undefined && !isFull) lose('takes a value from an empty stack', offset);
        return;
      case 'POP_MARK':
        popToMark(offset);
        return;
      case 'DUP': {
        const top = isTop();
        if (top === mark) lose('doubles a value of an empty stack', offset);
        return push(top === mark ? other : top, offset);
      }
      case 'BINSTRING':
      case 'SHORT_BINSTRING':
      case 'BINUNICODE':
      case 'SHORT_BINUNICODE':
      case 'BINUNICODE8':
      case 'UNICODE':
      case 'STRING': {
        if (typeof argument !== 'string' || argument.length > longestName) return push(other, offset);
        return push(textOf(name, argument), offset);
      }
      case 'DICT':
      case 'LIST':
      case 'TUPLE':
      case 'FROZENSET':
        popToMark(offset);
        return push(other, offset);
      case 'TUPLE1':
      case 'TUPLE2':
      case 'TUPLE3':
        popMany(Number(name.at(-1)), offset);
        return push(other, offset);
      case 'APPEND':
        pop(offset);
        return;
      case 'SETITEM':
        return popMany(2, offset);
      case 'BUILD':
        pop(offset);
        if (typeof isTop() === 'object') lose('sets the state of a global', offset);
        return;
      case 'APPENDS':
      case 'ADDITEMS':
      case 'SETITEMS':
        popToMark(offset);
        return;
      case 'GLOBAL':
      case 'INST': {
        const [module, attribute] = typeof argument === 'string' ? argument.split('\n') : [];
        if (name === 'INST') popToMark(offset);
        if (module === undefined || attribute === undefined) {
          tell('pickle/unresolved-global', 'imports a name that is too long to be one', offset);
          return push({ global: '?' }, offset);
        }
        const global = meet(module, attribute, offset);
        return push(name === 'INST' ? result : global, offset);
      }
      case 'STACK_GLOBAL':
        return stackGlobal(offset);
      case 'REDUCE':
      case 'NEWOBJ': {
        pop(offset);
        call(pop(offset), offset);
        return push(result, offset);
      }
      case 'NEWOBJ_EX':
        popMany(2, offset);
        call(pop(offset), offset);
        return push(result, offset);
      case 'OBJ':
        call(popToMark(offset), offset);
        return push(result, offset);
      case 'EXT1':
      case 'EXT2':
      case 'EXT4':
        tell(
          'pickle/extension-code',
          `imports by the extension code ${argument}, which only its author's registry knows`,
          offset,
        );
        return push({ global: '?' }, offset);
      case 'BINPERSID':
        pop(offset);
        return push(other, offset);
      case 'GET':
      case 'BINGET':
      case 'LONG_BINGET':
        return recall(Number(argument), offset);
      case 'MEMOIZE':
        return remember(places.count(), offset);
      default:
        if (memoWidths.has(name)) return remember(Number(argument), offset);
        return push(other, offset);
    }
  };
  return {
    step,
    tell,
    stop({ offset }) {
      if (stack.length !== 1 && !isFull) lose(`ends with ${stack.length} values on the stack`, offset);
    },
    isCrowded: () => !isPruned && memo.size > mostRemembered,
    keepOnly(kept) {
      isPruned = true;
      fetched = kept;
      if (kept === undefined) return;
      for (const [key, cell] of memo) {
        if (kept.has(key)) continue;
        memo.delete(key);
        text -= typeof cell === 'string' ? cell.length : 0;
      }
    },
    answer: () => ({ globals: [...globals].toSorted(), protocol }),
  };
}

/** Text as the unpickler would have it: STRING is a literal in quotes, UNICODE knows \u escapes. */
function textOf(opcode: string, argument: string): string {
  const body = opcode === 'STRING' ? argument.trim().slice(1, -1) : argument;
  if ((opcode !== 'STRING' && opcode !== 'UNICODE') || !body.includes('\\')) return body;
  return body.replaceAll(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([0-7]{1,3})|(.))/gi,
    (all, x, u, wide, octal, char) => {
      const hex: unknown = x ?? u ?? wide;
      const code =
        typeof hex === 'string' ? Number.parseInt(hex, 16) : typeof octal === 'string' ? Number.parseInt(octal, 8) : -1;
      if (code >= 0 && code <= 0x10ffff) return String.fromCodePoint(code);
      return typeof char === 'string' ? char : String(all);
    },
  );
}
