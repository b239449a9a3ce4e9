/**
 * Frames that are built upon others, of many packs at once: in the order in which what they are built upon lies, so that
 * this is opened once for its neighbours too, in stretches that one thread each checks. What a thread does not find sound
 * is read again and judged here.
 */
import { independentSha256, platformSha256 } from '../../crypto/hash.ts';
import { isMbkError, type MbkError } from '../../errors.ts';
import { packKey } from '../../format/ids.ts';
import { parameters } from '../../format/limits.ts';
import type { FooterFrame } from '../../format/pack-footer.ts';
import type { PackRow } from '../../format/segment-rows.ts';
import { boxesIn } from '../../pack/base-frames.ts';
import { boxIn } from '../../pack/open-bases.ts';
import type { BlobCopy } from '../../pack/blob-copy.ts';
import type { BasePlan, BlobReader } from '../../pack/blob-reader.ts';
import { checkBased } from '../../pack/check-pack.ts';
import { openedPacks, type OpenedPacks } from '../../pack/opened-packs.ts';
import type { PackContents } from '../../pack/pack-contents.ts';
import { copiesIn, type WholeCopy } from '../../pack/whole-copy.ts';
import type { Crew } from '../../pool/crew.ts';
import { recordOf } from '../../pool/error-record.ts';
import { inOrder } from '../../pool/in-order.ts';
import { room } from '../../pool/room.ts';
import type { Repository } from '../../repository.ts';
import { isBadContent } from '../bad-content.ts';
import type { BasedJob, CheckBasedJob, CheckedProblem } from './check-pack-task.ts';

/** A pack, and which frames of it are authentic and built upon others. */
export interface BasedPack {
  readonly contents: PackContents;
  readonly based: readonly number[];
}

export interface BasedCheckerOptions {
  readonly crew: Crew;
  readonly independent: boolean;
}

/** Of what frames are built upon, where it is read into memory, for each thread: as much as the longest of them needs. */
const basesEach = 12_582_912;
/** Stretches for each thread, so that all end at about the same time; and bytes of one, whose ends are opened twice. */
const stretchesEach = 12;
const leastStretchBytes: number = 16 * parameters.pieceBytes;
/** Stretches under way for each thread: one may take several times as long as those behind it. */
const stretchesAhead = 2;
/** Packs that are open for one. */
const mostOpened = 32;

/**
 * What is wrong with the frames of these packs, for each pack in their order. Where what a frame is built upon cannot be
 * read nothing is said of the frame: that is told where it is checked itself, and whoever needs the frame is named there.
 */
export function basedChecker(
  repository: Repository,
  { crew, independent }: BasedCheckerOptions,
): (packs: readonly BasedPack[]) => Promise<readonly (readonly CheckedProblem[])[]> {
  const { backend, signal } = repository;
  const areFiles = backend.open !== undefined;
  const memory = room(crew.size * basesEach);
  const sha256 = independent ? independentSha256 : platformSha256;

  return async (packs) => {
    const reader = await repository.blobs();
    const problems = packs.map((): CheckedProblem[] => []);
    const planned = planAll(reader, packs);
    const needed = new Set(planned.flatMap(({ plan }) => (plan?.wholes ?? []).flatMap(copiesIn).map(placeOf)));
    const bytes = areFiles ? stretchBytes(planned, crew.size) : parameters.pieceBytes;
    const checkNext = (stretch: readonly Planned[]): Promise<readonly boolean[]> =>
      checkStretch(reader, stretch, needed);
    const stretches = stretchesOf(planned, bytes);
    let number = 0;
    for await (const sound of inOrder(stretches, () => stretchesAhead * crew.size, checkNext)) {
      const stretch = stretches[number] ?? [];
      number += 1;
      for (const [at, one] of stretch.entries()) {
        const problem = sound[at] === true ? undefined : await judge(reader, one);
        if (problem !== undefined) problems[one.at]?.push(problem);
      }
    }
    return problems.map((found) => found.toSorted((a, b) => (a.frame ?? -1) - (b.frame ?? -1)));
  };

  /** Whether each of these was found sound upon the copies that readers prefer. */
  async function checkStretch(
    reader: BlobReader,
    stretch: readonly Planned[],
    needed: ReadonlySet<string>,
  ): Promise<readonly boolean[]> {
    const taken = stretch.reduce((sum, { plan }) => sum + (plan?.bytes ?? 0), 0);
    await memory.take(taken);
    const packs = openedPacks(backend, signal);
    try {
      const jobs: (BasedJob | undefined)[] = [];
      for (const one of stretch) jobs.push(await jobOf(reader, packs, one, needed.has(placeOf(one))));
      const frames = jobs.filter((job) => job !== undefined);
      const buffers = boxesIn(frames.flatMap(({ bases }) => bases));
      const job: CheckBasedJob = { frames };
      const sound = (await crew.run('checkBased', job, { buffers })) as readonly boolean[];
      let next = 0;
      return jobs.map((one) => one !== undefined && sound[next++] === true);
    } finally {
      memory.give(taken);
      await packs.close();
    }
  }

  /** Undefined where not all of it can be had in this way. */
  async function jobOf(
    reader: BlobReader,
    packs: OpenedPacks,
    { row, number, frame, plan }: Planned,
    isNeeded: boolean,
  ): Promise<BasedJob | undefined> {
    if (plan === undefined) return undefined;
    const bases = await reader.readPlanned(plan, { packs, signal });
    if (bases === undefined) return undefined;
    const opened = await packs.open(row);
    const box = opened === undefined ? await readBox(row, frame) : { fd: opened.fd };
    return 'code' in box ? undefined : { key: reader.keyOf(row), row, number, frame, box, bases, isNeeded };
  }

  /** The pack was there a moment ago; whatever becomes of it is a finding. */
  async function readBox(
    { kind, id }: PackRow,
    { offset, boxLength: length }: FooterFrame,
  ): Promise<Uint8Array | MbkError> {
    try {
      return await backend.get(packKey(kind, id), { offset, length, signal });
    } catch (error) {
      if (isBadContent(error)) return error;
      throw error;
    }
  }

  /** What is wrong with a frame, upon whichever copies can be read. */
  async function judge(reader: BlobReader, { row, number, frame }: Planned): Promise<CheckedProblem | undefined> {
    let below: readonly Uint8Array[];
    try {
      below = await reader.readBases({ pack: row, frame }, { signal });
    } catch (error) {
      if (isBadContent(error) || isMbkError(error, 'blob-absent')) return undefined;
      throw error;
    }
    const bytes = await readBox(row, frame);
    const blobs = frame.blobs.map(({ id }) => id);
    if ('code' in bytes) return { error: recordOf(bytes), frame: number, blobs };
    const box = boxIn(bytes, row, frame);
    const problem = checkBased({ key: reader.keyOf(row), row, number, frame, box }, below, { sha256 });
    return problem && { ...problem, error: recordOf(problem.error), frame: number };
  }
}

/** A frame, and what it is decoded from; undefined where some of that is not stored. */
interface Planned {
  /** Number of its pack. */
  readonly at: number;
  readonly row: PackRow;
  readonly number: number;
  readonly frame: FooterFrame;
  readonly plan: BasePlan | undefined;
}

/** All frames of these packs, those that are built upon the same next to each other, the lower before the higher. */
function planAll(reader: BlobReader, packs: readonly BasedPack[]): readonly Planned[] {
  const all = packs.flatMap(({ contents: { row, frames }, based }, at) =>
    based.flatMap((number) => {
      const frame = frames[number];
      return frame === undefined ? [] : [{ at, pack: row, row, number, frame }];
    }),
  );
  const plans = (['data', 'meta'] as const).flatMap((kind) => {
    const ofKind = all.filter(({ row }) => row.kind === kind);
    const found = reader.planBases(kind, ofKind);
    return ofKind.map((one, i): Planned => ({ ...one, plan: found[i] }));
  });
  return inFamilies(plans);
}

/**
 * In the order of the lowest frame below the last base of each. These are in the order in which frames of several bases
 * name them: they hold a tensor piece by piece, and lie in packs whose order says nothing.
 */
function inFamilies(all: readonly Planned[]): readonly Planned[] {
  const ranks = new Map<string, number>();
  const rankOf = (whole: WholeCopy): number => {
    const place = placeOf(rootOf(whole));
    const rank = ranks.get(place) ?? ranks.size;
    ranks.set(place, rank);
    return rank;
  };
  for (const { plan } of all) if (plan !== undefined && plan.wholes.length > 1) plan.wholes.forEach(rankOf);
  return all
    .map((one) => ({ one, rank: one.plan?.wholes.map(rankOf).at(-1) ?? -1 }))
    .toSorted((a, b) => a.rank - b.rank || a.one.frame.depth - b.one.frame.depth)
    .map(({ one }) => one);
}

/** The copy below that is built upon none. */
function rootOf({ copy, bases }: WholeCopy): BlobCopy {
  const last = bases.at(-1);
  return last === undefined ? copy : rootOf(last);
}

function stretchBytes(planned: readonly Planned[], threads: number): number {
  const bytes = planned.reduce((sum, { frame }) => sum + frame.plainLength, 0);
  return Math.max(leastStretchBytes, bytes / (stretchesEach * threads));
}

/** Neighbours of no more than `bytes` of plaintext, unless one is larger, in not too many packs. */
function stretchesOf(planned: readonly Planned[], bytes: number): readonly (readonly Planned[])[] {
  const stretches: Planned[][] = [];
  let left = 0;
  let packs = new Set<string>();
  for (const one of planned) {
    const stretch = stretches.at(-1);
    const copies = (one.plan?.wholes ?? []).flatMap(copiesIn);
    const ids = new Set([one.row.id, ...copies.map(({ pack }) => pack.id)]);
    const all = packs.union(ids);
    left -= one.frame.plainLength;
    if (stretch !== undefined && left >= 0 && all.size <= mostOpened) {
      stretch.push(one);
      packs = all;
    } else {
      stretches.push([one]);
      left = bytes - one.frame.plainLength;
      packs = ids;
    }
  }
  return stretches;
}

function placeOf({ number, ...of }: { readonly number: number } & ({ pack: PackRow } | { row: PackRow })): string {
  return `${('pack' in of ? of.pack : of.row).id} ${number}`;
}
