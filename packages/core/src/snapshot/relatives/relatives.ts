/**
 * What the tensors of a run may be built upon: those of earlier snapshots, and those of files that this run has stored
 * before. A file waits for the files under way that it may be kin to, since only what is stored can be built upon.
 */
import type { Chunk } from '../../format/chunk-list.ts';
import type { BlobId } from '../../format/ids.ts';
import type { Layout, TensorHints, TensorSpan } from '../../format/layout-record.ts';
import type { AskRelatives } from '../cut-file.ts';
import type { ByteString } from '../../format/byte-name.ts';
import type { FilePlace } from './file-place.ts';
import type { FindBase, FoundBase } from './relate.ts';
import { elementsOf, hasPieces, tensorCatalogue, type TensorCatalogue } from './tensor-catalogue.ts';

export interface Relatives {
  /**
   * Begins a file of this layout, at `location` if others may read it there. Settles when all that it may be built upon
   * is stored; rejects with what `flush` does.
   */
  visit(layout: Layout, location: ByteString | undefined): Promise<Visit>;
  readonly find: FindBase;
}

/** A file that is being stored. */
export interface Visit {
  /** Undefined while nothing is known that anything could be built upon. */
  readonly ask: AskRelatives | undefined;
  /** Takes the chunks of the file in their order. */
  chunk(chunk: Chunk): void;
  /** The file is stored, with these hints of its tensors. */
  stored(hintsOf: (tensor: TensorSpan) => TensorHints | undefined): void;
  /** The file is done with, stored or not. */
  leave(): void;
}

export interface RelativesOptions {
  /** Adds the tensors of earlier snapshots; called once, when a file first needs them. */
  readonly load: (catalogue: TensorCatalogue) => Promise<void>;
  /** Puts all packs that are being filled, so that what is in them can be read. */
  readonly flush: () => Promise<void>;
  readonly frameOf: FindFrame;
  /** Depth of the copy that would be built upon; undefined if there is none. */
  readonly depthOf: (id: BlobId) => number | undefined;
}

/** The frame of a blob that may be built upon, unless it is at the end of a chain; undefined if it cannot be had. */
export type FindFrame = (id: BlobId) => Promise<FoundBase | 'too-deep' | undefined>;

/** Pieces whose place in a file is remembered, some hundred bytes each: 128 GiB of tensors. */
const mostPlaces = 32_768;
/** Less than this in tensors is not waited for, nor reason to close packs. */
const leastBytes = 65_536;
/** Less than this is so only until so many packs were closed for it: thousands of adapters would each close their own. */
const smallBytes = 1_048_576;
const mostSmall = 32;

export function runRelatives({ load, flush, frameOf, depthOf }: RelativesOptions): Relatives {
  const places = new Map<BlobId, FilePlace>();
  const catalogue = tensorCatalogue();
  let loading: Promise<void> | undefined;
  let files = 0;
  const underWay = new Set<Kin>();
  /** Files that are stored, some of it perhaps in packs that are not full yet. */
  let unput: Kin[] = [];
  /** How often packs were closed for small files. */
  let small = 0;

  const isWorthIt = ({ bytes }: Kin): boolean => bytes >= (small < mostSmall ? leastBytes : smallBytes);

  /** Settles when all that a file may be built upon can be read, and it is under way itself. */
  const enter = async (kin: Kin): Promise<void> => {
    while (isWorthIt(kin)) {
      const other = [...underWay].find((one) => isKin(one, kin));
      if (other !== undefined) await other.left.promise;
      else if (unput.some((one) => isKin(one, kin))) {
        if (kin.bytes < smallBytes) small += 1;
        unput = [];
        await flush();
      } else break;
    }
    // At once: of two that found nobody under way, each would be the first.
    underWay.add(kin);
  };

  return {
    async find({ id, isStored }) {
      const place = isStored ? undefined : places.get(id);
      const depth = place && depthOf(id);
      if (place !== undefined && depth !== undefined) return { depth, place };
      return frameOf(id);
    },

    async visit(layout, location) {
      await (loading ??= load(catalogue));
      const kin = kinOf(layout);
      await enter(kin);
      const file = (files += 1);
      const ask: AskRelatives = ({ number, probe, sketch }) => {
        const span = layout.tensors[number];
        const found = span && catalogue.find({ ...span, probe, sketch });
        return Promise.resolve(found && { ...found, file, tensor: number, shape: span.shape });
      };
      const idAt = new Map<number, BlobId>();
      let position = 0;
      return {
        ask: catalogue.size === 0 ? undefined : ask,
        chunk(chunk) {
          const { kind, length } = chunk;
          if (kind === 'blob') {
            idAt.set(position, chunk.id);
            if (location !== undefined && places.size < mostPlaces)
              places.set(chunk.id, { location, offset: position, length });
          }
          position += length;
        },
        stored(hintsOf) {
          catalogue.add(layout, idAt, hintsOf);
          if (isWorthIt(kin)) unput.push(kin);
        },
        leave() {
          underWay.delete(kin);
          kin.left.resolve();
        },
      };
    },
  };
}

/** What of a file tells whether others may be kin to it. */
interface Kin {
  /** Of tensors that are cut into pieces. */
  readonly bytes: number;
  /** The types of those that have so many numbers. */
  readonly types: ReadonlyMap<number, ReadonlySet<string>>;
  readonly left: PromiseWithResolvers<void>;
}

function kinOf({ tensors }: Layout): Kin {
  const types = new Map<number, Set<string>>();
  let bytes = 0;
  for (const span of tensors.filter(hasPieces)) {
    const count = elementsOf(span);
    const known = types.get(count) ?? new Set();
    types.set(count, known.add(span.dtype));
    bytes += span.length;
  }
  return { bytes, types, left: Promise.withResolvers() };
}

/** What others are made from. */
const floats: ReadonlySet<string> = new Set(['F32', 'F16', 'BF16']);

/** Whether a tensor of one may be built upon one of the other: of the same type, or made from it. */
function isKin(a: Kin, b: Kin): boolean {
  const [few, many] = a.types.size < b.types.size ? [a, b] : [b, a];
  for (const [count, types] of few.types) {
    const others = many.types.get(count);
    if (others === undefined) continue;
    for (const type of types) if (floats.has(type) || others.has(type)) return true;
    for (const other of others) if (floats.has(other)) return true;
  }
  return false;
}
