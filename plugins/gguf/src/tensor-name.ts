/** The name of a tensor by its number: the survey keeps none, the file has them all. */

import type { PluginContext, Reader } from '@mbk/plugin-sdk';
import type { GgufSurvey } from './survey.ts';

/** At most so many bytes of it are wanted. */
const longest = 256;

export async function tensorNameAt(
  reader: Reader,
  { encoding, tensors }: GgufSurvey,
  index: number,
  { signal }: Pick<PluginContext, 'signal'>,
): Promise<string> {
  const offset = tensors.entryOffset(index);
  const width = encoding.version === 1 ? 4 : 8;
  const bytes = await reader.read(offset, Math.min(width + longest, reader.size - offset), { signal });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { littleEndian } = encoding;
  const length = Number(width === 4 ? view.getUint32(0, littleEndian) : view.getBigUint64(0, littleEndian));
  return Buffer.from(bytes.subarray(width, width + Math.min(length, longest))).toString();
}
