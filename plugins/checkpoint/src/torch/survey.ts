/** A zip file that PyTorch or NumPy wrote: every member looked at, pickles scanned, storages held against the pickle. */

import {
  blockOf,
  isLayoutError,
  type Json,
  type LayoutTensor,
  makeLayout,
  type Reader,
  type ReaderContext,
} from '@mbk/plugin-sdk';
import { problemList, type Problems, quoted } from '../codes.ts';
import { checkNpy } from '../npy/check.ts';
import { npyTensor } from '../npy/header.ts';
import { scanPickles } from '../pickle/scan-all.ts';
import { windowReader } from '../window-reader.ts';
import { checkMembers, type PlacedMember, type PlacedMembers } from '../zip/check-members.ts';
import { readZipDirectory, type ZipDirectory } from '../zip/directory.ts';
import { checkCrc, openMember } from '../zip/open-member.ts';
import { dtypeOfStorage } from './dtypes.ts';
import { folderOf, layoutTorchMembers } from './layout.ts';
import { type PickledStorage, pickledStorages } from './pickled-tensors.ts';

export interface ZipSurvey {
  readonly format: 'pytorch-zip' | 'torchscript' | 'npz' | 'zip';
  readonly tensors: readonly LayoutTensor[];
  readonly facts: Readonly<Record<string, Json>>;
}

export interface ZipScan {
  readonly problems: Problems;
  readonly isStrict: boolean;
  /** How many zips this one lies in. */
  readonly depth: number;
  /** Names of those. */
  readonly place: string;
  /** Where they lie in the file, for what was unpacked. */
  readonly at?: number;
  /** Bytes that may still be unpacked. */
  readonly budget: { bytes: number };
}

const deepest = 3;
const pickleName = /\.(?:pkl|pickle|debug_pkl)$/i;
const longestWalk = 1 << 24;

/** Undefined where there is no directory that can be read. */
export async function surveyZip(
  source: Reader,
  context: Pick<ReaderContext, 'signal' | 'limits'>,
  scan: ZipScan,
): Promise<ZipSurvey | undefined> {
  const reader = windowReader(source);
  const { problems } = scan;
  let directory: ZipDirectory | undefined;
  try {
    directory = await readZipDirectory(reader, context);
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    problems.fail(error, scan.at ?? error.offset);
  }
  if (directory === undefined) {
    if (problems.findings().every(({ code }) => !code.startsWith('zip/'))) {
      problems.report('zip/no-directory', 'the zip file has no directory at its end; it may be cut off', {
        offset: scan.at ?? reader.size,
      });
    }
    return undefined;
  }
  const own = problemList();
  const placed = await checkMembers(reader, directory, own, context);
  if (scan.depth === 0) problems.include(own.findings());
  else problems.include(own.findings().map((finding) => ({ ...finding, offset: scan.at ?? finding.offset ?? 0 })));
  const folder = folderOf(directory) ?? '';
  const storages = await pickledArchives(reader, placed, folder, context);
  const isStorage = (name: string): boolean => storageAt(storages, folder, name) !== undefined;
  const globals = new Set<string>();
  const arrays: LayoutTensor[] = [];
  const has = { data: false, constants: false, code: false, array: false };
  let pickles = 0;
  for (const member of placed) {
    const { name } = member.member;
    if (isStorage(name)) continue;
    for (const found of await scanMember(reader, member, context, { ...scan, arrays })) {
      pickles += 1;
      for (const global of found) if (globals.size < 200) globals.add(global);
    }
  }
  for (const { name } of directory.members) {
    has.data ||= name === `${folder}data.pkl`;
    has.constants ||= name === `${folder}constants.pkl`;
    has.code ||= name.startsWith(`${folder}code/`);
    has.array ||= name.endsWith('.npy');
  }
  const isTorch = has.data || has.constants;
  const isNpz = !isTorch && has.array;
  if (isTorch) await checkStorages(reader, placed, { folder, storages, problems, signal: context.signal });
  const tensorsOf = async (): Promise<readonly LayoutTensor[]> => {
    if (own.findings().some(({ severity }) => severity === 'error')) return [];
    if (!isTorch) return makeLayout('npz', arrays, reader.size, context.limits).tensors;
    const known = { storagesOf: (archive: string) => storages.get(archive), offsetOf: placed.offset };
    return (await layoutTorchMembers(reader, directory, { context, ...known }))?.tensors ?? [];
  };
  return {
    format: isTorch ? (has.constants && has.code ? 'torchscript' : 'pytorch-zip') : isNpz ? 'npz' : 'zip',
    tensors: scan.depth > 0 ? [] : await orProblem(tensorsOf, problems),
    facts: {
      members: directory.members.length,
      pickles,
      globals: [...globals]
        .toSorted()
        .slice(0, 100)
        .map((name) => name.slice(0, 200)),
    },
  };
}

async function orProblem(
  tensorsOf: () => Promise<readonly LayoutTensor[]>,
  problems: Problems,
): Promise<readonly LayoutTensor[]> {
  try {
    return await tensorsOf();
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    // The rules above tell the same, member by member.
    if (problems.findings().every(({ severity }) => severity !== 'error')) problems.fail(error);
    return [];
  }
}

/** What the pickles of a file say of its storages, by name of the pickle and key. */
type Archives = ReadonlyMap<string, ReadonlyMap<string, PickledStorage>>;

/** The storage that a member is: one that the pickle of its folder names holds nothing but elements. */
function storageAt(archives: Archives, folder: string, name: string): PickledStorage | undefined {
  if (!name.startsWith(folder)) return undefined;
  const slash = name.indexOf('/', folder.length);
  return slash < 0 ? undefined : archives.get(name.slice(folder.length, slash))?.get(name.slice(slash + 1));
}

async function pickledArchives(
  reader: Reader,
  placed: PlacedMembers,
  folder: string,
  { signal }: Pick<ReaderContext, 'signal'>,
): Promise<Archives> {
  const archives = new Map<string, ReadonlyMap<string, PickledStorage>>();
  for (const archive of ['data', 'constants']) {
    const pickle = Iterator.from(placed).find(({ member }) => member.name === `${folder}${archive}.pkl`);
    if (pickle === undefined || pickle.member.method !== 0 || pickle.length > longestWalk) continue;
    archives.set(archive, pickledStorages(await reader.read(pickle.offset, pickle.length, { signal })));
  }
  return archives;
}

interface Storages {
  readonly folder: string;
  readonly storages: Archives;
  readonly problems: Problems;
  readonly signal: AbortSignal;
}

async function checkStorages(
  reader: Reader,
  placed: PlacedMembers,
  { folder, problems, signal, storages }: Storages,
): Promise<void> {
  let hasPickle = false;
  let order: PlacedMember | undefined;
  const data = storages.get('data');
  const found = new Set<PickledStorage>();
  for (const placedMember of placed) {
    const { name } = placedMember.member;
    hasPickle ||= name === `${folder}data.pkl`;
    if (name === `${folder}byteorder`) order = placedMember;
    const storage = storageAt(storages, folder, name);
    if (storage !== undefined) {
      found.add(storage);
      checkStorage(placedMember, storage, problems);
    } else if (data !== undefined && data.size > 0 && name.startsWith(`${folder}data/`)) {
      const offset = placedMember.member.localOffset;
      problems.report('torch/unused-storage', `no pickle names ${quoted(name)}`, { offset });
    }
  }
  if (!hasPickle) {
    problems.report('torch/no-pickle', `there is no ${quoted(`${folder}data.pkl`)}, so nothing can be loaded`);
  }
  for (const [archive, named] of storages) {
    for (const [key, storage] of named) {
      if (found.has(storage)) continue;
      const name = quoted(`${folder}${archive}/${key}`);
      problems.report('torch/missing-storage', `the pickle names ${name}, which is not there`);
    }
  }
  if (order !== undefined && order.member.method === 0) {
    const text = new TextDecoder().decode(await reader.read(order.offset, Math.min(order.length, 16), { signal }));
    if (text !== 'little' && text !== 'big') {
      problems.report('torch/bad-byte-order', `the byte order is ${quoted(text)}, not little or big`, {
        offset: order.offset,
      });
    }
  }
}

function checkStorage({ length, member }: PlacedMember, { elements, type }: PickledStorage, problems: Problems): void {
  const offset = member.localOffset;
  const name = quoted(member.name);
  if (member.method !== 0) {
    problems.report('torch/compressed-storage', `${name} is compressed, which PyTorch does not read`, { offset });
    return;
  }
  const dtype = dtypeOfStorage(type);
  const unit = type === 'UntypedStorage' ? 1 : dtype === undefined ? undefined : blockOf(dtype).bytes;
  if (unit === undefined || unit * elements === length) return;
  const message = `${name} has ${length} bytes, the pickle names ${elements} elements of ${type}`;
  problems.report('torch/storage-size', message, { offset });
}

/** Globals of each pickle in the member. */
async function scanMember(
  reader: Reader,
  member: PlacedMember,
  context: Pick<ReaderContext, 'signal' | 'limits'>,
  scan: ZipScan & { readonly arrays: LayoutTensor[] },
): Promise<readonly (readonly string[])[]> {
  const { signal } = context;
  const { arrays, budget, depth, isStrict, problems } = scan;
  const { entryOffset, method, name, size } = member.member;
  const isPickle = pickleName.test(name);
  // Code, and numbers for people, hold no pickle unless their first bytes say so; these are not unpacked for it.
  if (method === 8 && !isPickle && size > 1 << 20 && !/\.(?:npy|npz|zip|bin|pt|pth)$/i.test(name)) return [];
  if (method === 8) {
    budget.bytes -= size;
    if (budget.bytes < 0) {
      problems.report('zip/bomb', 'its members unpack to more than is looked at', { offset: scan.at ?? entryOffset });
      return [];
    }
  }
  const opened = await openMember(reader, member, problems, signal);
  if (opened === undefined) return [];
  const place = scan.place === '' ? name : `${scan.place}/${name}`;
  const at = scan.at ?? opened.offset ?? entryOffset;
  const head = Buffer.from(await opened.reader.read(0, Math.min(8, opened.reader.size), { signal }));
  if (head.toString('latin1', 0, 4) === 'PK\x03\x04') {
    problems.report('zip/nested', `member ${quoted(place)} is a zip file itself`, { offset: at });
    if (depth + 1 >= deepest) {
      problems.report('zip/too-deep', `zip files are nested more than ${deepest} deep`, { offset: at });
      return [];
    }
    await surveyZip(opened.reader, context, { ...scan, depth: depth + 1, place, at });
    return [];
  }
  if (head.toString('latin1', 0, 6) === '\x93NUMPY') {
    const start = scan.at === undefined ? opened.offset : undefined;
    const header = await checkNpy(opened.reader, { isStrict, place, problems, signal, start, at });
    if (header === undefined || opened.offset === undefined || depth > 0 || !name.endsWith('.npy')) return [];
    const tensor = npyTensor(header, name.slice(0, -'.npy'.length), opened.offset, opened.reader.size);
    if (tensor !== undefined) arrays.push(tensor);
    return [];
  }
  const isMarked = head[0] === 0x80 && (head[1] ?? 99) <= 5;
  if (!isPickle && !isMarked) return [];
  if (isPickle && method === 0) await checkCrc(opened, member, problems, signal);
  const { scans } = await scanPickles(opened.reader, {
    isStrict,
    place,
    problems,
    signal,
    start: 0,
    end: opened.reader.size,
    at,
  });
  return scans.map(({ globals }) => globals);
}
