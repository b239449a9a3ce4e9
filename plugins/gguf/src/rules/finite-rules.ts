/**
 * NaN and infinity in rows and in the scales of blocks: what `--check-tensors` looks for (ggml_validate_row_data). The
 * host reads the bytes, once, together with whoever else wants them.
 */

import { canBeNonFinite, type NonFinite, type Reader, type ReaderContext } from '@mbk/plugin-sdk';
import { type GgufCode, type Problems, quoted } from '../codes.ts';
import { isQuantised } from '../ggml-types.ts';
import type { GgufSurvey } from '../survey.ts';
import { tensorNameAt } from '../tensor-name.ts';
import type { TensorPlace } from '../tensor-table.ts';

/** Tensors asked about together. */
const batch = 1024;

export async function checkFinite(
  reader: Reader,
  survey: GgufSurvey,
  problems: Problems,
  context: ReaderContext,
): Promise<void> {
  const { dataStart } = survey;
  if (dataStart === undefined) return;
  let places: TensorPlace[] = [];
  const ask = async (): Promise<void> => {
    if (places.length === 0) return;
    const spans = places.map(({ dtype, length, offset }) => ({
      offset: dataStart + offset,
      length,
      dtype,
      ...(survey.encoding.littleEndian ? {} : { byteOrder: 'big' as const }),
    }));
    const results = await context.nonFinite(reader, spans);
    for (const [index, place] of places.entries()) {
      const found = results[index];
      if (found === undefined || found.first < 0) continue;
      const name = await tensorNameAt(reader, survey, place.index, context);
      reportNonFinite(place, found, { name, at: dataStart + place.offset + found.first, problems });
    }
    places = [];
  };
  for (const place of survey.tensors.places()) {
    const isInside = dataStart + place.offset + place.length <= reader.size;
    if (!isInside || place.length === 0 || !canBeNonFinite(place.dtype)) continue;
    if (places.push(place) === batch) await ask();
  }
  await ask();
}

interface Found {
  readonly name: string;
  readonly at: number;
  readonly problems: Problems;
}

function reportNonFinite({ dtype }: TensorPlace, { infinite, nan }: NonFinite, { at, name, problems }: Found): void {
  const tell = (code: GgufCode, count: number, what: string): void => {
    if (count > 0) problems.report(code, `tensor ${quoted(name)} (${dtype}): ${count} ${what}`, { offset: at });
  };
  if (dtype === 'MXFP4') tell('bad-e8m0-scale', nan, 'blocks with the scale 0xFF');
  else if (isQuantised(dtype)) {
    tell('nan-in-scale', nan, 'blocks with a scale that is no number');
    tell('infinity-in-scale', infinite, 'blocks with an infinite scale');
  } else {
    tell('nan-in-tensor', nan, 'elements that are no number');
    tell('infinity-in-tensor', infinite, 'infinite elements');
  }
}
