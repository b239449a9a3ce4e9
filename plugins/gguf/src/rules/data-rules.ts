/** Where the tensor bytes lie in the file, and what lies around them. */

import type { PluginContext, Reader } from '@mbk/plugin-sdk';
import { type Problems, quoted } from '../codes.ts';
import type { GgufSurvey } from '../survey.ts';
import { tensorNameAt } from '../tensor-name.ts';

/** Of padding that is looked at; alignments may be gigabytes. */
const mostPadding = 65_536;
const mostNamed = 3;

export async function checkData(
  reader: Reader,
  survey: GgufSurvey,
  problems: Problems,
  context: Pick<PluginContext, 'signal'>,
): Promise<void> {
  const { alignment, dataStart, end, tensors } = survey;
  if (end === undefined || dataStart === undefined) return;
  let last = 0;
  let outside = 0;
  for (const { index, length, offset } of tensors.places()) {
    last = Math.max(last, offset + length);
    if (dataStart + offset + length <= reader.size) continue;
    outside += 1;
    if (outside > mostNamed) continue;
    const name = await tensorNameAt(reader, survey, index, context);
    const message = `tensor ${quoted(name)}: its bytes ${dataStart + offset} + ${length} reach past ${reader.size}`;
    problems.report('out-of-file', message, { offset: tensors.entryOffset(index) });
  }
  if (outside > mostNamed) {
    problems.report('out-of-file', 'more tensors reach past the end', { count: outside - mostNamed });
  }
  if (!tensors.isContiguous) await checkOverlaps(reader, survey, problems, context);
  await checkPadding(reader, { from: end, to: Math.min(dataStart, reader.size) }, problems, context);
  if (outside > 0) return;

  // Without tensors a file ends with its header, and may have been padded.
  const dataEnd = tensors.count === 0 ? Math.min(end, reader.size) : dataStart + last;
  const padded = Math.ceil(dataEnd / alignment) * alignment;
  if (reader.size > padded) {
    problems.report('trailing-bytes', `${reader.size - padded} bytes follow the end of the tensors`, {
      offset: padded,
    });
  } else if (tensors.count > 0 && reader.size < padded) {
    problems.report('no-final-padding', 'the last tensor is not padded', { offset: reader.size });
  } else {
    await checkPadding(reader, { from: dataEnd, to: reader.size }, problems, context);
  }
}

/** docs/gguf.md: padding is of zeros. */
async function checkPadding(
  reader: Reader,
  { from, to }: { readonly from: number; readonly to: number },
  problems: Problems,
  { signal }: Pick<PluginContext, 'signal'>,
): Promise<void> {
  const length = Math.min(to - from, mostPadding);
  if (length <= 0) return;
  const bytes = await reader.read(from, length, { signal });
  const at = bytes.findIndex((byte) => byte !== 0);
  if (at !== -1) problems.report('padding-not-zero', 'the padding is not of zeros', { offset: from + at });
}

/** Sorted by place, each tensor ends before the next begins. */
async function checkOverlaps(
  reader: Reader,
  survey: GgufSurvey,
  problems: Problems,
  context: Pick<PluginContext, 'signal'>,
): Promise<void> {
  const { tensors } = survey;
  const starts = new Float64Array(tensors.seen);
  const ends = new Float64Array(tensors.seen);
  const order = new Uint32Array(tensors.seen);
  let count = 0;
  for (const { index, length, offset } of tensors.places()) {
    if (length === 0) continue;
    starts[index] = offset;
    ends[index] = offset + length;
    order[count] = index;
    count += 1;
  }
  const sorted = order.subarray(0, count).sort((a, b) => (starts[a] ?? 0) - (starts[b] ?? 0));
  let end = 0;
  let overlaps = 0;
  for (const index of sorted) {
    const start = starts[index] ?? 0;
    if (start < end) {
      overlaps += 1;
      if (overlaps <= mostNamed) {
        const name = await tensorNameAt(reader, survey, index, context);
        problems.report('overlap', `tensor ${quoted(name)} begins inside of another`, {
          offset: tensors.entryOffset(index),
        });
      }
    }
    end = Math.max(end, ends[index] ?? 0);
  }
  if (overlaps > mostNamed) {
    problems.report('overlap', 'more tensors begin inside of others', { count: overlaps - mostNamed });
  }
}
