/** Takes one file by itself: what a plugin knows of it, its content, and whether it stayed as it was. */
import { isMbkError } from '../../errors.ts';
import { displayBytes } from '../../format/byte-name.ts';
import type { Layout } from '../../format/layout-record.ts';
import { checkLayout } from '../../format/layout-record.ts';
import type { AskedAsset, FedFile } from '../../plugins/examiner.ts';
import type { AssetPlugins, KnownAsset } from '../asset-plugins.ts';
import { captureFile, type Capture, type OpenSource } from '../capture-file.ts';
import type { CutFileOptions } from '../cut-file.ts';
import type { FileStorer } from '../file-storer.ts';
import { isFleeting } from '../folder-handles.ts';
import { lastRank, rankOf, type Rank } from '../relatives/precision.ts';
import { sourceReader } from '../source-reader.ts';
import type { AssetFacts } from '../stat-record.ts';
import type { WalkedFile } from '../walk.ts';

export interface TakenFile {
  readonly capture: Capture;
  /** Undefined if no plugin knows it. */
  readonly asset: AssetFacts | undefined;
}

export interface TakeFileOptions {
  readonly storer: FileStorer;
  readonly plugins: AssetPlugins;
  /** That the file is of. */
  readonly collection: string;
  /** Files of a higher rank are left for later; none unless given. */
  readonly most?: Rank | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A file that is better stored after others, which it may have been made from: nothing was done with it. */
export interface LeftFile {
  readonly rank: Rank;
}

/** A file that is stored, and a promise of it with what plugins say of it: nobody needs to wait for that to go on. */
export interface StoredFile {
  readonly examined: Promise<TakenFile>;
}

/** Reads and stores one file, with its layout if a plugin knows it. Throws what the store throws, and 'interrupted'. */
export async function takeFile(walked: WalkedFile, options: TakeFileOptions): Promise<StoredFile | LeftFile> {
  const { storer, plugins, collection, most = lastRank, signal } = options;
  const { examiner } = plugins;
  const path = displayBytes(walked.path);
  let known: KnownAsset | undefined;
  let tensors: number | undefined;
  let fed: FedFile | undefined;
  const asked = ({ kind, number, examines = 'random' }: KnownAsset): AskedAsset => ({
    path,
    plugin: number,
    kind,
    collection,
    reads: examines,
  });
  const cutOf = async (file: OpenSource): Promise<Omit<CutFileOptions, 'size' | 'signal'>> => {
    const reader = sourceReader(file);
    const head = await reader.read(0, Math.min(plugins.headBytes, reader.size)).catch(() => new Uint8Array(0)); // it shrank: read again
    const recognised = await plugins.recognise(reader, head, signal);
    const rank = recognised?.layout === undefined ? 0 : rankOf(recognised.layout);
    if (rank > most) throw new Left(rank);
    // Not with its layout, which would stay until the file is examined.
    known = recognised && knownOf(recognised);
    tensors = recognised?.layout?.tensors.length;
    fed = recognised?.examines === 'stream' ? examiner?.feed(asked(recognised), reader.size) : undefined;
    return {
      layout: recognised?.layout && storableLayout(recognised.layout, reader.size),
      location: isFleeting(walked.location) ? undefined : walked.location,
      feed: fed?.port,
      scansRows: examiner !== undefined && recognised?.examines === 'random',
    };
  };
  const capture = await captureFile(walked, { storer, cutOf, signal }).catch(orLeft);
  if ('rank' in capture) return capture;
  const asset = known && { kind: known.kind, ...(tensors === undefined ? {} : { tensors }) };
  const examine = async (): Promise<TakenFile> => {
    const isExamined = known?.examines !== undefined && capture.kind === 'captured' && !capture.changed;
    if (known === undefined || examiner === undefined || !isExamined) return { capture, asset };
    const { content, facts: identity, rows } = capture;
    const { sha256 } = content;
    const found =
      (await fed?.examined) ??
      (await examiner.file(asked(known), { location: walked.location, identity, rows, sha256 }));
    return { capture, asset: { kind: known.kind, ...asset, ...found } };
  };
  const examined = examine();
  examined.catch(() => undefined); // told to whoever waits for it
  return { examined };
}

function orLeft(error: unknown): LeftFile {
  if (error instanceof Left) return { rank: error.rank };
  throw error;
}

/** Ends the taking of a file before it has begun. */
class Left extends Error {
  override readonly name = 'Left';
  readonly rank: Rank;

  constructor(rank: Rank) {
    super('the file is taken later');
    this.rank = rank;
  }
}

function knownOf({ examines, kind, looksInside, number }: KnownAsset): KnownAsset {
  return { examines, kind, looksInside, number };
}

/** A plugin's layout as the format has it; undefined if the format has no room for it: the file is cut by its content. */
function storableLayout({ container, tensors }: Layout, size: number): Layout | undefined {
  try {
    return checkLayout({ container, tensors }, size, 'layout');
  } catch (error) {
    if (isMbkError(error, 'value-invalid')) return undefined;
    throw error;
  }
}
