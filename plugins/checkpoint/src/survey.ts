/** One look at a file that `inspect` and `validate` share: what it is, where its tensors are, what is wrong with it. */

import {
  type Finding,
  isLayoutError,
  type Json,
  type LayoutTensor,
  type Reader,
  type ReaderContext,
} from '@mbk/plugin-sdk';
import { problemList, type Problems, quoted } from './codes.ts';
import { type Format, formatOf, promisedFormats } from './formats.ts';
import { checkPairs, checkPeft, loraFacts, loraOf, readPeftConfig } from './lora/check.ts';
import { checkNpy } from './npy/check.ts';
import { npyTensor } from './npy/header.ts';
import { checkOnnx } from './onnx/check.ts';
import { onnxTensors } from './onnx/model.ts';
import { scanPickles } from './pickle/scan-all.ts';
import type { PickleScan } from './pickle/scan.ts';
import { surveySafetensors } from './safetensors/survey.ts';
import { checkShards, isIndex, readIndex } from './shards.ts';
import { layoutLegacy, legacyPickles } from './torch/legacy.ts';
import { surveyZip } from './torch/survey.ts';
import { readZipDirectory } from './zip/directory.ts';

export type CheckpointOptions = {
  /** What a pickle's import of a name on no list is. */
  readonly unknownGlobals: 'warning' | 'error';
};

export interface Survey {
  readonly format: string;
  readonly tensors: readonly LayoutTensor[];
  /** Beside format and sums over the tensors. */
  readonly facts: Readonly<Record<string, Json>>;
  readonly findings: readonly Finding[];
}

export type SurveyContext = Pick<ReaderContext<CheckpointOptions>, 'signal' | 'limits' | 'options'>;
export type Surveyor = (reader: Reader, context: SurveyContext) => Promise<Survey>;

/** Remembers what it saw of a reader, as long as the reader is in use. */
export function rememberingSurveyor(): Surveyor {
  const known = new WeakMap<Reader, Survey>();
  return async (reader, context) => {
    context.signal.throwIfAborted();
    const survey = known.get(reader) ?? (await surveyOf(reader, context));
    known.set(reader, survey);
    return survey;
  };
}

/** Never throws for what the bytes say. */
export async function surveyOf(reader: Reader, context: SurveyContext): Promise<Survey> {
  const problems = problemList();
  const format = await formatOf(reader, context.signal);
  const known = isIndex(reader.path)
    ? await surveyIndex(reader, problems, context)
    : await surveyFormat(reader, format, problems, context);
  if (!isIndex(reader.path)) checkName(reader, format, problems);
  const { facts = {}, name = format, tensors = [] } = known ?? {};
  const lora = loraOf(tensors);
  const config = await readPeftConfig(reader, problems, context.signal);
  if (lora !== undefined) checkPairs(lora, problems);
  if (config !== undefined) checkPeft(lora, config, problems);
  return {
    format: name,
    tensors,
    facts: { ...facts, ...(lora === undefined ? {} : { adapter: loraFacts(lora, config) }) },
    findings: problems.findings(),
  };
}

interface Known {
  readonly name?: string;
  readonly tensors?: readonly LayoutTensor[];
  readonly facts?: Readonly<Record<string, Json>>;
}

async function surveyIndex(reader: Reader, problems: Problems, context: SurveyContext): Promise<Known | undefined> {
  const index = await readIndex(reader, problems, context.signal);
  if (index === undefined) return undefined;
  await checkShards(reader, index, problems, context);
  const { files, tensors, totalSize } = index;
  const facts = { files: files.size, listedTensors: tensors, ...(totalSize === undefined ? {} : { totalSize }) };
  return { name: 'shard-index', facts };
}

async function surveyFormat(
  reader: Reader,
  format: Format,
  problems: Problems,
  context: SurveyContext,
): Promise<Known | undefined> {
  const promised = promisedFormats(reader.path);
  const isStrict = context.options.unknownGlobals === 'error';
  const { signal } = context;
  if (format === 'zip') {
    const found = await surveyZip(reader, context, {
      problems,
      isStrict,
      depth: 0,
      place: '',
      budget: { bytes: mostUnpacked },
    });
    return found === undefined ? undefined : { ...found, name: found.format };
  }
  if (format === 'legacy') return surveyLegacy(reader, problems, isStrict, context);
  if (format === 'safetensors' || (promised?.[0] === 'safetensors' && format !== 'pickle' && format !== 'npy')) {
    const found = await surveySafetensors(reader, context, problems);
    await checkHiddenPickle(reader, problems, isStrict, context);
    await checkPolyglot(reader, problems, context);
    return found === undefined
      ? undefined
      : { name: 'safetensors', tensors: found.tensors, facts: metadataFacts(found.metadata) };
  }
  if (format === 'npy') {
    const header = await checkNpy(reader, { isStrict, place: '', problems, signal, start: 0 });
    if (header === undefined) return undefined;
    const tensor = npyTensor(header, 'array', 0, reader.size);
    const facts = { dtype: header.descr.slice(0, 40), shape: header.shape, fortranOrder: header.isFortranOrder };
    return { name: 'npy', tensors: tensor === undefined ? [] : [tensor], facts };
  }
  if (format === 'onnx' || promised?.[0] === 'onnx') {
    const model = await checkOnnx(reader, problems, context);
    if (model === undefined) return undefined;
    const { irVersion, nodes, opset, producer } = model;
    const facts = {
      nodes,
      initializers: model.tensors.length,
      ...(irVersion === undefined || !Number.isSafeInteger(irVersion) ? {} : { irVersion }),
      ...(opset === undefined || !Number.isSafeInteger(opset) ? {} : { opset }),
      ...(producer === undefined ? {} : { producer: producer.slice(0, 100).toWellFormed() }),
    };
    return { name: 'onnx', tensors: onnxTensors(model), facts };
  }
  // An old pickle has no magic: in a file of this name anything may be one.
  if (format === 'pickle' || (promised?.includes('pickle') === true && format !== 'empty')) {
    return surveyPickle(reader, format, problems, isStrict, context);
  }
  return undefined;
}

/** Bytes of all members that are unpacked to be looked at. */
const mostUnpacked = 256 * 1_048_576;

async function surveyLegacy(
  reader: Reader,
  problems: Problems,
  isStrict: boolean,
  context: SurveyContext,
): Promise<Known> {
  const { signal } = context;
  problems.report(
    'torch/legacy',
    'torch.save wrote it before version 1.6; newer files are safer to load and to share',
    { offset: 0 },
  );
  const globals = new Set<string>();
  let start = 0;
  for (let index = 0; index < legacyPickles && start < reader.size; index += 1) {
    const range = { start, end: reader.size };
    const { end, scans } = await scanPickles(reader, { ...range, isStrict, place: '', problems, signal, single: true });
    for (const scan of scans) for (const name of scan.globals) globals.add(name);
    if (end === start) break;
    start = end;
  }
  await checkPolyglot(reader, problems, context);
  const facts = {
    globals: [...globals]
      .toSorted()
      .slice(0, 100)
      .map((name) => name.slice(0, 200)),
  };
  try {
    const { tensors } = await layoutLegacy(reader, context);
    const last = tensors.reduce((most, { length, offset }) => Math.max(most, offset + length), start);
    if (last < reader.size) {
      problems.report('pickle/trailing-bytes', `${reader.size - last} bytes follow the last storage`, { offset: last });
    }
    return { name: 'pytorch-legacy', tensors, facts };
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    problems.fail(error);
    return { name: 'pytorch-legacy', facts };
  }
}

async function surveyPickle(
  reader: Reader,
  format: Format,
  problems: Problems,
  isStrict: boolean,
  context: SurveyContext,
): Promise<Known | undefined> {
  const { signal } = context;
  const own = problemList();
  const { scans } = await scanPickles(reader, {
    start: 0,
    end: reader.size,
    isStrict,
    place: '',
    problems: own,
    signal,
  });
  const globals = [...new Set(scans.flatMap((scan) => scan.globals))].toSorted();
  await checkPolyglot(reader, problems, context);
  // Of a file that does not look like a pickle only what would be imported is worth a word.
  const isPickle =
    globals.length > 0 || scans.some(({ end }) => end !== undefined) || looksLikePickle(reader, format, scans);
  if (!isPickle) return undefined;
  problems.include(own.findings());
  const facts = {
    protocol: scans[0]?.protocol ?? 0,
    pickles: scans.length,
    globals: globals.slice(0, 100).map((name) => name.slice(0, 200)),
  };
  return { name: 'pickle', facts };
}

/**
 * Whether what breaks off, and imports nothing before it does, is a broken pickle. A file may be named .bin whatever it
 * holds, and the two bytes that a pickle begins with are there by chance in one of 10,000: it takes more opcodes than chance
 * gives.
 */
function looksLikePickle({ path }: Reader, format: Format, scans: readonly PickleScan[]): boolean {
  if (format !== 'pickle') return false;
  return !path.toLowerCase().endsWith('.bin') || scans.some(({ opcodes }) => opcodes > mostByChance);
}

/** Of random bytes a quarter are opcodes. */
const mostByChance = 16;

/** A header's length can read as the start of a pickle, which torch.load would run. */
async function checkHiddenPickle(
  reader: Reader,
  problems: Problems,
  isStrict: boolean,
  { signal }: SurveyContext,
): Promise<void> {
  const [first, second] = await reader.read(0, Math.min(2, reader.size), { signal });
  if (first !== 0x80 || (second ?? 99) > 5) return;
  const own = problemList();
  const { scans } = await scanPickles(reader, {
    start: 0,
    end: reader.size,
    isStrict,
    place: '',
    problems: own,
    signal,
    single: true,
  });
  if (scans.every(({ end, globals }) => end === undefined && globals.length === 0)) return;
  problems.report('checkpoint/polyglot', 'the file can be loaded as a pickle too', { offset: 0 });
  problems.include(own.findings());
}

/** A zip directory at the end of what begins as something else: two readers would load two different things. */
async function checkPolyglot(reader: Reader, problems: Problems, context: SurveyContext): Promise<void> {
  try {
    const directory = await readZipDirectory(reader, context);
    if (directory === undefined || directory.members.length === 0) return;
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    // There is an end record; its offsets are those of the zip file alone.
  }
  problems.report('checkpoint/polyglot', 'the file ends as a zip file, which other programs would load in its place', {
    offset: reader.size,
  });
}

/** What the name promises and the bytes do not keep. */
function checkName(reader: Reader, format: Format, problems: Problems): void {
  const promised = promisedFormats(reader.path);
  if (promised === undefined || promised.includes(format)) return;
  const extension = /\.[^./]*$/.exec(reader.path)?.[0] ?? '';
  if (format === 'empty') {
    problems.report('checkpoint/unknown-format', `the file is empty`, { offset: 0 });
  } else if (format === 'other') {
    if (promised[0] === 'safetensors' || promised[0] === 'onnx') return;
    problems.report(
      'checkpoint/unknown-format',
      `the file is named ${quoted(extension)} and does not begin as such a file`,
      {
        offset: 0,
        remedy: 'If it was downloaded, look whether it is an error page or a pointer file of Git LFS.',
      },
    );
  } else {
    problems.report('checkpoint/wrong-extension', `the file is named ${quoted(extension)} and is ${names[format]}`, {
      offset: 0,
    });
  }
}

const names: Readonly<Record<Format, string>> = {
  zip: 'a zip file',
  safetensors: 'a safetensors file',
  npy: 'a NumPy array',
  legacy: 'a pickle of PyTorch',
  pickle: 'a pickle',
  onnx: 'an ONNX model',
  other: 'something else',
  empty: 'empty',
};

const mostMetadata = 32;

/** The shortest of the metadata; training tools put whole configurations there. */
function metadataFacts(metadata: Readonly<Record<string, string>> | undefined): Readonly<Record<string, Json>> {
  const entries = Object.entries(metadata ?? {});
  if (entries.length === 0) return {};
  const short = entries.filter(([key, value]) => key.length <= 100 && value.length <= 200).slice(0, mostMetadata);
  return {
    metadataKeys: entries.length,
    metadata: Object.fromEntries(short.map(([key, value]) => [key.toWellFormed(), value.toWellFormed()])),
  };
}
