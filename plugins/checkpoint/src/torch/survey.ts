/** A zip file that PyTorch or NumPy wrote: every member looked at, pickles scanned, storages held against the pickle. */

import { blockOf, isLayoutError, type Json, type LayoutTensor, type Reader, type ReaderContext } from '@mbk/plugin-sdk';
import { problemList, type Problems, quoted } from '../codes.ts';
import { checkNpy } from '../npy/check.ts';
import { scanPickles } from '../pickle/scan-all.ts';
import { walkPickle } from '../pickle/stack-machine.ts';
import { checkMembers, type PlacedMember } from '../zip/check-members.ts';
import { readZipDirectory, type ZipDirectory } from '../zip/directory.ts';
import { checkCrc, openMember } from '../zip/open-member.ts';
import { dtypeOfStorage } from './dtypes.ts';
import { layoutNpz } from '../npy/layout.ts';
import { layoutTorchZip } from './layout.ts';

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
  reader: Reader,
  context: Pick<ReaderContext, 'signal' | 'limits'>,
  scan: ZipScan,
): Promise<ZipSurvey | undefined> {
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
  const folder = directory.members[0]?.name.match(/^[^/]*\//)?.[0] ?? '';
  const storages = await storageNames(reader, placed, folder, context);
  const globals = new Set<string>();
  let pickles = 0;
  for (const member of placed) {
    if (storages.has(member.member.name)) continue;
    for (const found of await scanMember(reader, member, context, scan)) {
      pickles += 1;
      for (const name of found) if (globals.size < 200) globals.add(name);
    }
  }
  const names = new Set(directory.members.map(({ name }) => name));
  const isTorch = names.has(`${folder}data.pkl`) || names.has(`${folder}constants.pkl`);
  const isNpz = !isTorch && directory.members.some(({ name }) => name.endsWith('.npy'));
  const isScript =
    isTorch && names.has(`${folder}constants.pkl`) && [...names].some((name) => name.startsWith(`${folder}code/`));
  if (isTorch) await checkStorages(reader, placed, { folder, storages, problems, signal: context.signal });
  const tensors = scan.depth > 0 ? [] : await tensorsOf(reader, context, isTorch, problems);
  return {
    format: isScript ? 'torchscript' : isTorch ? 'pytorch-zip' : isNpz ? 'npz' : 'zip',
    tensors,
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

async function tensorsOf(
  reader: Reader,
  context: Pick<ReaderContext, 'signal' | 'limits'>,
  isTorch: boolean,
  problems: Problems,
): Promise<readonly LayoutTensor[]> {
  try {
    const layout = isTorch ? await layoutTorchZip(reader, context) : await layoutNpz(reader, context);
    return layout?.tensors ?? [];
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    // The rules above tell the same, member by member.
    if (problems.findings().every(({ severity }) => severity !== 'error')) problems.fail(error);
    return [];
  }
}

/** Members that hold nothing but elements: those that the pickle of their folder names as storages. */
async function storageNames(
  reader: Reader,
  placed: readonly PlacedMember[],
  folder: string,
  { signal }: Pick<ReaderContext, 'signal'>,
): Promise<ReadonlyMap<string, { readonly type: string; readonly length: number }>> {
  const names = new Map<string, { readonly type: string; readonly length: number }>();
  for (const archive of ['data', 'constants']) {
    const pickle = placed.find(({ member }) => member.name === `${folder}${archive}.pkl`);
    if (pickle === undefined || pickle.member.method !== 0 || pickle.length > longestWalk) continue;
    const { storages } = walkPickle(await reader.read(pickle.offset, pickle.length, { signal }));
    for (const { key, length, type } of storages) names.set(`${folder}${archive}/${key}`, { length, type });
  }
  return names;
}

interface Storages {
  readonly folder: string;
  readonly storages: ReadonlyMap<string, { readonly type: string; readonly length: number }>;
  readonly problems: Problems;
  readonly signal: AbortSignal;
}

async function checkStorages(
  reader: Reader,
  placed: readonly PlacedMember[],
  { folder, problems, signal, storages }: Storages,
): Promise<void> {
  const byName = new Map(placed.map((member) => [member.member.name, member]));
  if (!byName.has(`${folder}data.pkl`)) {
    problems.report('torch/no-pickle', `there is no ${quoted(`${folder}data.pkl`)}, so nothing can be loaded`);
  }
  for (const [name, { length, type }] of storages) {
    const found = byName.get(name);
    if (found === undefined) {
      problems.report('torch/missing-storage', `the pickle names ${quoted(name)}, which is not there`);
      continue;
    }
    const offset = found.member.localOffset;
    if (found.member.method !== 0) {
      problems.report('torch/compressed-storage', `${quoted(name)} is compressed, which PyTorch does not read`, {
        offset,
      });
      continue;
    }
    const dtype = dtypeOfStorage(type);
    const unit = type === 'UntypedStorage' ? 1 : dtype === undefined ? undefined : blockOf(dtype).bytes;
    if (unit !== undefined && unit * length !== found.length) {
      problems.report(
        'torch/storage-size',
        `${quoted(name)} has ${found.length} bytes, the pickle names ${length} elements of ${type}`,
        { offset },
      );
    }
  }
  if (storages.size > 0) {
    for (const { member } of placed) {
      if (!member.name.startsWith(`${folder}data/`) || storages.has(member.name)) continue;
      problems.report('torch/unused-storage', `no pickle names ${quoted(member.name)}`, { offset: member.localOffset });
    }
  }
  const order = byName.get(`${folder}byteorder`);
  if (order !== undefined && order.member.method === 0) {
    const text = new TextDecoder().decode(await reader.read(order.offset, Math.min(order.length, 16), { signal }));
    if (text !== 'little' && text !== 'big') {
      problems.report('torch/bad-byte-order', `the byte order is ${quoted(text)}, not little or big`, {
        offset: order.offset,
      });
    }
  }
}

/** Globals of each pickle in the member. */
async function scanMember(
  reader: Reader,
  member: PlacedMember,
  context: Pick<ReaderContext, 'signal' | 'limits'>,
  scan: ZipScan,
): Promise<readonly (readonly string[])[]> {
  const { signal } = context;
  const { budget, depth, isStrict, problems } = scan;
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
    await checkNpy(opened.reader, { isStrict, place, problems, signal, start, at });
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
