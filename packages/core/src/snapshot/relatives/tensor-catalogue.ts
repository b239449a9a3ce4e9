/**
 * The tensors of stored files, to find those that a new one may be built upon: one that was the same tensor earlier, or
 * one that the new one was made from. It holds what layouts and chunk lists say and is made anew by each run.
 */
import { blockOf } from '@mbk/plugin-sdk';
import { probedDtype } from '../../codec/derive.ts';
import type { BlobId } from '../../format/ids.ts';
import type { Layout, Probes, TensorSpan } from '../../format/layout-record.ts';
import { parameters } from '../../format/limits.ts';

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
}

export interface TensorCatalogue {
  /** Adds the tensors of a file that have pieces of their own; `idAt` gives the blob that begins at an offset of the file. */
  add(layout: Layout, idAt: ReadonlyMap<number, BlobId>, probesOf?: (tensor: TensorSpan) => Probes | undefined): void;
  /** Undefined when there is none. */
  find(question: TensorQuestion): Pick<TensorRelatives, 'bases' | 'sources'> | undefined;
  /** How many tensors it holds. */
  readonly size: number;
}

/** Candidates for a tensor at most: each is read and tried. */
const mostBases = 3;
const mostSources = 2;
/** Tensors that it takes, each some hundred bytes. */
const mostTensors = 500_000;
/** Tensors of one shape that are remembered: layers of a model have the same one. */
const mostAlike = 64;

export function tensorCatalogue(): TensorCatalogue {
  /** By name, type and shape; by type and shape; by what was made of it. The newest first. */
  const same = new Map<string, StoredTensor[]>();
  const alike = new Map<string, { readonly name: string; readonly tensor: StoredTensor }[]>();
  const made = new Map<string, StoredTensor[]>();
  let size = 0;

  return {
    add({ tensors }, idAt, probesOf = ({ probes }) => probes) {
      for (const span of tensors) {
        if (!hasPieces(span) || size >= mostTensors) continue;
        const tensor = storedTensor(span, idAt);
        if (tensor === undefined) continue;
        size += 1;
        remember(same, sameKey(span), tensor, mostBases);
        remember(alike, alikeKey(span), { name: span.name, tensor }, mostAlike);
        const elements = elementsOf(span);
        for (const [name, probe] of Object.entries(probesOf(span) ?? {}))
          remember(made, madeKey(elements, probedDtype(name), probe), tensor, mostSources);
      }
    },

    find(question) {
      const { dtype, name, probe } = question;
      const bases = [...(same.get(sameKey(question)) ?? [])];
      const others = alike.get(alikeKey(question)) ?? [];
      for (const { tensor } of sortedBySuffix(others, name)) {
        if (bases.length >= mostBases) break;
        if (!bases.includes(tensor)) bases.push(tensor);
      }
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

/** Layers that are called alike are likelier kin: `a.7.weight` and `b.7.weight`. */
function sortedBySuffix<T extends { readonly name: string }>(tensors: readonly T[], name: string): readonly T[] {
  if (tensors.length < 2) return tensors;
  return tensors
    .map((tensor, at) => ({ tensor, at, common: commonSuffix(tensor.name, name) }))
    .sort((a, b) => b.common - a.common || a.at - b.at)
    .map(({ tensor }) => tensor);
}

function commonSuffix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a.at(-1 - length) === b.at(-1 - length)) length += 1;
  return length;
}

function remember<T>(map: Map<string, T[]>, key: string, value: T, most: number): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else {
    if (known.includes(value)) return;
    known.unshift(value);
    if (known.length > most) known.pop();
  }
}

type Kind = Pick<TensorSpan, 'name' | 'dtype' | 'unit' | 'shape' | 'length'>;

function sameKey(tensor: Kind): string {
  return `${tensor.name}\0${alikeKey(tensor)}`;
}

function alikeKey({ dtype, unit, shape, length }: Kind): string {
  return `${dtype} ${unit} ${shape.join()} ${length}`;
}

function madeKey(elements: number, dtype: string, probe: string): string {
  return `${elements} ${dtype} ${probe}`;
}
