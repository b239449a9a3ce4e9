/**
 * The tensors of stored files, to find those that a new one may be built upon: one that was the same tensor earlier, or
 * one that the new one was made from. It holds what layouts and chunk lists say and is made anew by each run.
 */
import { blockOf } from '@mbk/plugin-sdk';
import { probedDtype } from '../../codec/derive.ts';
import type { BlobId } from '../../format/ids.ts';
import type { Layout, TensorHints, TensorSpan } from '../../format/layout-record.ts';
import { parameters } from '../../format/limits.ts';
import { sketchDistance } from './sketch.ts';

/** The pieces of a tensor, each of `pieceBytes` but the last: their ids, null for zeros. */
export interface StoredTensor {
  readonly dtype: string;
  readonly pieceBytes: number;
  readonly pieces: readonly (BlobId | null)[];
}

/** What a tensor may be built upon, likeliest first. */
export interface TensorRelatives {
  /** Number of the file in the run, and of the tensor in the file. */
  readonly file: number;
  readonly tensor: number;
  /** Dimensions of the tensor, the slowest first. */
  readonly shape: readonly number[];
  /** Of as many bytes, cut in the same way. */
  readonly bases: readonly StoredTensor[];
  /** Of as many numbers. */
  readonly sources: readonly StoredTensor[];
}

export interface TensorQuestion {
  readonly name: string;
  readonly dtype: string;
  readonly unit: number;
  readonly shape: readonly number[];
  readonly length: number;
  /** What its first numbers are, as the probes of a source say it (docs/format.md, The derive codec). */
  readonly probe: string | undefined;
  /** A few of its bytes. */
  readonly sketch: string | undefined;
}

type IdAt = ReadonlyMap<number, BlobId>;

export interface TensorCatalogue {
  /**
   * Adds the tensors of a file that have pieces of their own, as newer than all that it holds; `idAt` gives the blob that
   * begins at an offset of the file.
   */
  add(layout: Layout, idAt: IdAt, hintsOf?: (tensor: TensorSpan) => TensorHints | undefined): void;
  /** Adds them as older than all that it holds. */
  addOlder(layout: Layout, idAt: IdAt): void;
  /** Undefined when there is none. */
  find(question: TensorQuestion): Pick<TensorRelatives, 'bases' | 'sources'> | undefined;
  /** How many tensors it holds. */
  readonly size: number;
}

/** Candidates for a tensor at most: each is read and tried. */
const mostBases = 3;
const mostSources = 2;
/** Tensors that it takes, each some hundred bytes. */
const mostTensors = 250_000;
/** Tensors of one size that are remembered: layers of a model have the same one. */
const mostAlike = 256;
/** Bits of sketches that kin differ in at most (docs/decisions/0022). */
const nearBits = 64;
/** Bits that the same name and shape is worth: nearly as many as lie between tensors that have nothing in common. */
const nameBits = 32;

export function tensorCatalogue(): TensorCatalogue {
  /** By name, type and shape; by type and size; by what was made of it. The newest first. */
  const same = new Map<string, KnownTensor[]>();
  const alike = new Map<string, KnownTensor[]>();
  const made = new Map<string, StoredTensor[]>();
  let size = 0;

  const addEach = (
    { tensors }: Layout,
    idAt: IdAt,
    { hintsOf, put }: { readonly hintsOf: (tensor: TensorSpan) => TensorHints | undefined; readonly put: Put },
  ): void => {
    for (const span of tensors) {
      if (!hasPieces(span) || size >= mostTensors) continue;
      const tensor = storedTensor(span, idAt);
      if (tensor === undefined) continue;
      size += 1;
      const { probes = {}, sketch } = hintsOf(span) ?? {};
      const known = { name: span.name, shape: span.shape.join(), sketch, tensor };
      put(same, sameKey(span), known, mostBases);
      put(alike, alikeKey(span), known, mostAlike);
      const elements = elementsOf(span);
      for (const [name, probe] of Object.entries(probes))
        put(made, madeKey(elements, probedDtype(name), probe), tensor, mostSources);
    }
  };

  return {
    add: (layout, idAt, hintsOf = (tensor) => tensor) => addEach(layout, idAt, { hintsOf, put: putFirst }),
    addOlder: (layout, idAt) => addEach(layout, idAt, { hintsOf: (tensor) => tensor, put: putLast }),

    find(question) {
      const { dtype, probe } = question;
      const known = new Set([...(same.get(sameKey(question)) ?? []), ...(alike.get(alikeKey(question)) ?? [])]);
      const bases = distinct(likeliest([...known], question), mostBases);
      const sources = probe === undefined ? [] : (made.get(madeKey(elementsOf(question), dtype, probe)) ?? []);
      if (bases.length + sources.length === 0) return undefined;
      return { bases, sources };
    },

    get size() {
      return size;
    },
  };
}

/** Whether a tensor is cut into pieces: small ones are in the skeleton. */
export function hasPieces({ length, byteOrder, dtype }: TensorSpan): boolean {
  return length >= parameters.smallTensorBytes && byteOrder === undefined && dtype !== '';
}

/** Bytes of all pieces of a tensor but the last. */
export function pieceBytesOf(unit: number): number {
  return parameters.pieceBytes - (parameters.pieceBytes % unit);
}

/** How many numbers a tensor has; 0 when its type is not known. */
export function elementsOf({ dtype, unit, length }: Pick<TensorSpan, 'dtype' | 'unit' | 'length'>): number {
  const block = blockOf(dtype);
  return block?.bytes === unit ? (length / unit) * block.elements : 0;
}

function storedTensor(
  { dtype, unit, offset, length }: TensorSpan,
  idAt: ReadonlyMap<number, BlobId>,
): StoredTensor | undefined {
  const pieceBytes = pieceBytesOf(unit);
  const pieces: (BlobId | null)[] = [];
  for (let at = 0; at < length; at += pieceBytes) pieces.push(idAt.get(offset + at) ?? null);
  return pieces.every((id) => id === null) ? undefined : { dtype, pieceBytes, pieces };
}

interface KnownTensor {
  readonly name: string;
  /** Its dimensions, joined by commas. */
  readonly shape: string;
  readonly sketch: string | undefined;
  readonly tensor: StoredTensor;
}

/**
 * Those whose bytes are near, the nearest first, whatever they are called, where the same name and shape counts as some
 * bits less; then those of the same shape by their names: layers that are called alike are likelier kin, `a.7.weight` and
 * `b.7.weight`.
 */
function likeliest(tensors: readonly KnownTensor[], { name, shape, sketch }: TensorQuestion): readonly StoredTensor[] {
  const own = shape.join();
  const ranked = tensors.map((one, at) => {
    const bits = sketch === undefined || one.sketch === undefined ? Infinity : sketchDistance(sketch, one.sketch);
    const far = Math.min(bits, nearBits + 1);
    const isSame = one.name === name && one.shape === own;
    return { one, at, far, rank: isSame ? far - nameBits : far, common: commonSuffix(one.name, name) };
  });
  return ranked
    .filter(({ one, far }) => far <= nearBits || one.shape === own)
    .sort((a, b) => a.rank - b.rank || b.common - a.common || a.at - b.at)
    .map(({ one }) => one.tensor);
}

/** The first `most` that are not the same bytes: files of two snapshots share the tensors that did not change. */
function distinct(tensors: Iterable<StoredTensor>, most: number): readonly StoredTensor[] {
  const found: StoredTensor[] = [];
  for (const tensor of tensors) {
    if (found.length >= most) break;
    if (!found.some(({ pieces }) => pieces.every((id, at) => id === tensor.pieces[at]))) found.push(tensor);
  }
  return found;
}

function commonSuffix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a.at(-1 - length) === b.at(-1 - length)) length += 1;
  return length;
}

/** Adds a value to those of a key, of which there are at most so many. */
type Put = <T>(map: Map<string, T[]>, key: string, value: T, most: number) => void;

const putFirst: Put = (map, key, value, most) => {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else if (!known.includes(value) && known.unshift(value) > most) known.pop();
};

const putLast: Put = (map, key, value, most) => {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else if (known.length < most && !known.includes(value)) known.push(value);
};

type Kind = Pick<TensorSpan, 'name' | 'dtype' | 'unit' | 'shape' | 'length'>;

function sameKey(tensor: Kind): string {
  return `${tensor.name}\0${tensor.shape.join()} ${alikeKey(tensor)}`;
}

function alikeKey({ dtype, unit, length }: Omit<Kind, 'name' | 'shape'>): string {
  return `${dtype} ${unit} ${length}`;
}

function madeKey(elements: number, dtype: string, probe: string): string {
  return `${elements} ${dtype} ${probe}`;
}
