/** A context without a host: the reads that a plugin asks for are made as it asks for them. */

import type { DiffContext, ReaderContext } from './context.ts';
import { blockOf } from './dtype.ts';
import type { JsonObject } from './json.ts';
import { type Kernels, plainKernels } from './kernels.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { allFinite, canBeNonFinite, type NonFinite, type TensorSpan } from './non-finite.ts';
import type { Reader } from './reader.ts';

export interface PlainContextOptions {
  readonly kind: string;
  readonly options?: JsonObject;
  readonly collection?: string | undefined;
  readonly limits?: Limits;
  readonly kernels?: Kernels;
  /** Never aborted unless given. */
  readonly signal?: AbortSignal;
}

/** Serves all contributions. */
export function plainContext(options: PlainContextOptions): ReaderContext & DiffContext {
  const { collection, kernels = plainKernels, kind, limits = defaultLimits } = options;
  const signal = options.signal ?? new AbortController().signal;
  return {
    signal,
    options: options.options ?? {},
    limits,
    kind,
    collection,
    kernels,
    async nonFinite(reader, spans) {
      const found: NonFinite[] = [];
      for (const span of spans) found.push(await scanSpan(reader, span, { kernels, signal }));
      return found;
    },
    async isSame(before, [beforeAt, length], after, [afterAt, afterLength]) {
      if (length !== afterLength) return false;
      for (let at = 0; at < length; at += readBytes) {
        const size = Math.min(readBytes, length - at);
        const [a, b] = await Promise.all([
          before.read(beforeAt + at, size, { signal }),
          after.read(afterAt + at, size, { signal }),
        ]);
        if (Buffer.compare(a, b) !== 0) return false;
      }
      return true;
    },
  };
}

const readBytes = 1_048_576;

/** Reads a span piece by piece, each of whole elements or blocks. */
async function scanSpan(
  reader: Reader,
  { byteOrder, dtype, length, offset }: TensorSpan,
  { kernels, signal }: { readonly kernels: Kernels; readonly signal: AbortSignal },
): Promise<NonFinite> {
  const unit = blockOf(dtype)?.bytes ?? 1;
  if (!canBeNonFinite(dtype)) return allFinite;
  const step = Math.max(unit, readBytes - (readBytes % unit));
  const total = { nan: 0, infinite: 0, first: -1 };
  for (let at = 0; at < length; at += step) {
    const bytes = await reader.read(offset + at, Math.min(step, length - at), { signal });
    const { first, infinite, nan } = kernels.nonFinite(bytes, dtype, byteOrder);
    total.nan += nan;
    total.infinite += infinite;
    if (total.first < 0 && first >= 0) total.first = at + first;
  }
  return total;
}
