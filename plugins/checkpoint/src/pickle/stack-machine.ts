/**
 * Follows a pickle on the stack as Python would, and does nothing it asks for: a call becomes a note of what was
 * called with what. Time is linear in the pickle, memory bounded by `mostCells` whatever the pickle says.
 */

import { decodeOpcode, fetchedPlaces, type Opcode, PickleError } from './opcodes.ts';
import { type PlaceSet, placeSet } from './place-set.ts';
import { callResult, persistentValue, type Shapes, shapeTable } from './torch-calls.ts';
import {
  type Container,
  container,
  isKind,
  type Member,
  mayHoldTensors,
  opaque,
  type PickleValue,
  type StorageRef,
} from './values.ts';

export interface PickleWalk {
  /** What the pickle leaves on the stack; undefined when it does not come to its end. */
  readonly root: PickleValue | undefined;
  /** Every storage that was named, up to the end or the failure. */
  readonly storages: readonly StorageRef[];
  /** One past its STOP; undefined when it does not come to its end. */
  readonly end: number | undefined;
  /** Why the walk ended early. */
  readonly failure: PickleError | undefined;
}

/**
 * Stack places, memo places that are read again, and storages, tensors, members and items that are kept: a checkpoint
 * has three for each tensor.
 */
const mostCells = 500_000;

const mark = Symbol('mark');
type Cell = PickleValue | typeof mark;

interface Machine {
  readonly stack: Cell[];
  /** Of the places that are read again, where that is known; the others are only counted. */
  readonly memo: Map<number, PickleValue>;
  readonly fetched: ReadonlySet<number> | undefined;
  readonly places: PlaceSet;
  readonly shapes: Shapes;
  readonly storages: StorageRef[];
  cells: number;
}

/** Walks the first pickle in the bytes up to its STOP. Never throws for what the bytes contain. */
export function walkPickle(bytes: Uint8Array): PickleWalk {
  const fetched = fetchedPlaces(bytes, mostCells);
  const machine: Machine = {
    stack: [],
    memo: new Map(),
    fetched,
    places: placeSet(),
    shapes: shapeTable(),
    storages: [],
    cells: 0,
  };
  try {
    for (let at = 0; ;) {
      const opcode = decodeOpcode(bytes, at);
      if (opcode.name === 'STOP') {
        return { root: pop(machine, at), storages: machine.storages, end: opcode.next, failure: undefined };
      }
      step(machine, opcode);
      at = opcode.next;
    }
  } catch (failure) {
    if (!(failure instanceof PickleError)) throw failure;
    return { root: undefined, storages: machine.storages, end: undefined, failure };
  }
}

function step(machine: Machine, opcode: Opcode): void {
  const { argument, name, offset } = opcode;
  switch (name) {
    case 'PROTO':
    case 'FRAME':
    case 'READONLY_BUFFER':
      return;
    case 'MARK':
      return push(machine, mark, offset);
    case 'POP':
      machine.stack.pop();
      return;
    case 'POP_MARK':
      popToMark(machine, offset);
      return;
    case 'DUP':
      return push(machine, shared(peek(machine, offset)), offset);

    case 'BININT':
    case 'BININT1':
    case 'BININT2':
    case 'LONG1':
    case 'LONG4':
    case 'BINSTRING':
    case 'SHORT_BINSTRING':
    case 'BINUNICODE':
    case 'SHORT_BINUNICODE':
    case 'BINUNICODE8':
    case 'UNICODE':
      return push(machine, argument ?? opaque, offset);
    case 'INT':
    case 'LONG':
      return push(machine, integerOf(argument), offset);
    case 'STRING':
      return push(machine, typeof argument === 'string' ? argument.slice(1, -1) : opaque, offset);

    case 'EMPTY_DICT':
    case 'EMPTY_LIST':
      return push(machine, container(), offset);
    case 'DICT':
      return push(machine, withPairs(machine, container(), popToMark(machine, offset)), offset);
    case 'LIST':
      return push(machine, withItems(machine, container(), popToMark(machine, offset)), offset);
    case 'EMPTY_TUPLE':
      return push(machine, tupleOf(machine, []), offset);
    case 'TUPLE1':
    case 'TUPLE2':
    case 'TUPLE3':
      return push(machine, tupleOf(machine, popMany(machine, Number(name.at(-1)), offset)), offset);
    case 'TUPLE':
      return push(machine, tupleOf(machine, popToMark(machine, offset)), offset);
    case 'EMPTY_SET':
      return push(machine, opaque, offset);
    case 'FROZENSET':
      popToMark(machine, offset);
      return push(machine, opaque, offset);

    case 'APPEND': {
      const [item = opaque] = popMany(machine, 1, offset);
      return fill(machine, offset, (target) => withItems(machine, target, [item]));
    }
    case 'APPENDS':
    case 'ADDITEMS': {
      const items = popToMark(machine, offset);
      return fill(machine, offset, (target) => withItems(machine, target, items));
    }
    case 'SETITEM': {
      const pair = popMany(machine, 2, offset);
      return fill(machine, offset, (target) => withPairs(machine, target, pair));
    }
    case 'SETITEMS': {
      const pairs = popToMark(machine, offset);
      return fill(machine, offset, (target) => withPairs(machine, target, pairs));
    }
    case 'BUILD': {
      const [state = opaque] = popMany(machine, 1, offset);
      return fill(machine, offset, (target) => addMember(machine, target, { key: undefined, value: state }));
    }

    case 'GLOBAL':
      return push(machine, globalOf(argument), offset);
    case 'STACK_GLOBAL': {
      const [module, member] = popMany(machine, 2, offset);
      const isNamed = typeof module === 'string' && typeof member === 'string';
      return push(machine, isNamed ? { kind: 'global', name: `${module}.${member}` } : opaque, offset);
    }
    case 'REDUCE': {
      const [callable = opaque, call = opaque] = popMany(machine, 2, offset);
      const value = callResult(callable, call, machine.shapes);
      if (isKind(value, 'tensor')) spend(machine, 1 + ((value.shape.length + value.stride.length) >> 3));
      if (!isKind(value, 'container')) refund(machine, call, isKind(value, 'tensor'));
      return push(machine, value, offset);
    }
    case 'NEWOBJ':
      popMany(machine, 2, offset);
      return push(machine, container(), offset);
    case 'NEWOBJ_EX':
      popMany(machine, 3, offset);
      return push(machine, container(), offset);
    case 'INST':
    case 'OBJ':
      popToMark(machine, offset);
      return push(machine, container(), offset);

    case 'BINPERSID': {
      const [id = opaque] = popMany(machine, 1, offset);
      const value = persistentValue(id);
      refund(machine, id, false);
      if (isKind(value, 'storage')) {
        spend(machine, 1);
        machine.storages.push(value);
      }
      return push(machine, value, offset);
    }

    case 'GET':
    case 'BINGET':
    case 'LONG_BINGET': {
      const value = machine.memo.get(Number(argument));
      if (value === undefined) throw new PickleError(`memo ${argument} was never put`, offset);
      return push(machine, value, offset);
    }
    case 'PUT':
    case 'BINPUT':
    case 'LONG_BINPUT':
      return remember(machine, Number(argument), offset);
    case 'MEMOIZE':
      return remember(machine, machine.places.count(), offset);

    default:
      // Numbers, bytes, constants, extension codes and buffers: one value that leads nowhere.
      return push(machine, opaque, offset);
  }
}

function push(machine: Machine, cell: Cell, offset: number): void {
  if (machine.stack.length >= mostCells) throw new PickleError(`more than ${mostCells} values on the stack`, offset);
  machine.stack.push(cell);
}

function pop(machine: Machine, offset: number): PickleValue {
  const cell = machine.stack.pop();
  if (cell === undefined || cell === mark) throw new PickleError('a value was expected on the stack', offset);
  return cell;
}

function peek(machine: Machine, offset: number): PickleValue {
  const cell = machine.stack.at(-1);
  if (cell === undefined || cell === mark) throw new PickleError('a value was expected on the stack', offset);
  return cell;
}

/** The last `count` values in the order in which they were pushed. */
function popMany(machine: Machine, count: number, offset: number): PickleValue[] {
  return Array.from({ length: count }, () => pop(machine, offset)).reverse();
}

function popToMark(machine: Machine, offset: number): PickleValue[] {
  const values: PickleValue[] = [];
  for (;;) {
    const cell = machine.stack.pop();
    if (cell === undefined) throw new PickleError('a mark was expected on the stack', offset);
    if (cell === mark) return values.reverse();
    values.push(cell);
  }
}

/** Changes the container on top of the stack; anything else there is of a kind that cannot lead to a tensor. */
function fill(machine: Machine, offset: number, change: (target: Container) => void): void {
  const target = peek(machine, offset);
  if (isKind(target, 'container')) change(target);
}

function withItems(machine: Machine, target: Container, items: readonly PickleValue[]): Container {
  for (const value of items) addMember(machine, target, { key: String(target.length), value });
  return target;
}

function withPairs(machine: Machine, target: Container, pairs: readonly PickleValue[]): Container {
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const key = pairs[at];
    const isName = typeof key === 'string' || typeof key === 'number';
    addMember(machine, target, { key: isName ? String(key) : `#${target.length}`, value: pairs[at + 1] ?? opaque });
  }
  return target;
}

function addMember(machine: Machine, target: Container, member: Member): void {
  target.length += 1;
  if (!mayHoldTensors(member.value)) return;
  spend(machine, 1);
  target.members.push(member);
}

function tupleOf(machine: Machine, items: readonly PickleValue[]): PickleValue {
  spend(machine, items.length);
  return { kind: 'tuple', items, refund: items.length };
}

/** The value, which two places hold from now on. */
function shared(value: PickleValue): PickleValue {
  if (isKind(value, 'tuple')) value.refund = 0;
  return value;
}

/** A call is over: nobody holds its arguments any more, unless they are shared; nor, of a tensor, its shape and stride. */
function refund(machine: Machine, call: PickleValue, isDeep: boolean): void {
  if (!isKind(call, 'tuple') || call.refund === 0) return;
  machine.cells -= call.refund;
  call.refund = 0;
  if (isDeep) for (const item of call.items) refund(machine, item, false);
}

function remember(machine: Machine, place: number, offset: number): void {
  if (!Number.isSafeInteger(place)) throw new PickleError('a place in the memo is no number', offset);
  const value = peek(machine, offset);
  if (!machine.places.add(place)) throw tooMany();
  if (machine.fetched?.has(place) === false) return;
  if (!machine.memo.has(place)) spend(machine, 1);
  machine.memo.set(place, shared(value));
}

function spend(machine: Machine, cells: number): void {
  machine.cells += cells;
  if (machine.cells > mostCells) throw tooMany();
}

function tooMany(): PickleError {
  return new PickleError(`more than ${mostCells} values are kept`, 0);
}

function integerOf(text: number | string | undefined): PickleValue {
  const value = Number.parseInt(String(text), 10);
  return Number.isSafeInteger(value) ? value : opaque;
}

function globalOf(argument: number | string | undefined): PickleValue {
  if (typeof argument !== 'string') return opaque;
  return { kind: 'global', name: argument.replace('\n', '.') };
}
