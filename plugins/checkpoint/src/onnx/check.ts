/** The rules of an ONNX model's initialisers: shape against bytes, and files outside that they point to. */

import { isLayoutError, LayoutError, type Reader, type ReaderContext } from '@mbk/plugin-sdk';
import { type Problems, quoted } from '../codes.ts';
import { bytesOf, type OnnxModel, type OnnxTensor, readOnnx } from './model.ts';

/** Undefined for a model that cannot be read to its end; `problems` say why. */
export async function checkOnnx(
  reader: Reader,
  problems: Problems,
  context: Pick<ReaderContext, 'signal'>,
): Promise<OnnxModel | undefined> {
  let model: OnnxModel;
  try {
    model = await readOnnx(reader, context);
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    const code = error.code.replace(/\/(?:truncated|header-too-large)$/, '/bad-protobuf');
    problems.fail(new LayoutError(code, error.message, error.offset));
    return undefined;
  }
  const files = new Map<string, number | undefined>();
  for (const tensor of model.tensors) {
    checkTensor(tensor, problems);
    if (tensor.external !== undefined) await checkExternal(reader, tensor, files, { problems, signal: context.signal });
  }
  return model;
}

function checkTensor({ at, dtype, name, raw, shape }: OnnxTensor, problems: Problems): void {
  if (dtype === undefined || raw === undefined) return;
  const expected = bytesOf(dtype, shape);
  if (expected === BigInt(raw.length)) return;
  problems.report(
    'onnx/wrong-size',
    `${quoted(name)}: ${dtype} [${shape.join(', ')}] makes ${expected} bytes, there are ${raw.length}`,
    {
      offset: at,
    },
  );
}

interface External {
  readonly problems: Problems;
  readonly signal: AbortSignal;
}

async function checkExternal(
  reader: Reader,
  { at, external = {}, name }: OnnxTensor,
  files: Map<string, number | undefined>,
  { problems, signal }: External,
): Promise<void> {
  const location = external['location'] ?? '';
  const isUnsafe = location === '' || /^[/\\]|^[a-z]:|\0/i.test(location) || location.split(/[/\\]/).includes('..');
  if (isUnsafe) {
    problems.report(
      'onnx/unsafe-external-data',
      `${quoted(name)} lies in ${quoted(location)}, outside of the model's folder`,
      {
        offset: at,
      },
    );
    return;
  }
  if (!files.has(location)) files.set(location, (await reader.sibling(location, { signal }))?.size);
  const size = files.get(location);
  const end = Number(external['offset'] ?? 0) + Number(external['length'] ?? 0);
  if (size !== undefined && end <= size) return;
  const what = size === undefined ? 'which is not there' : `which has ${size} bytes, not ${end}`;
  problems.report('onnx/missing-external-data', `${quoted(name)} lies in ${quoted(location)}, ${what}`, { offset: at });
}
