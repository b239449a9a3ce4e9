/** What a host hands to a contribution beside the reader. There is no repository in it, and nothing to write to. */

import type { JsonObject } from './json.ts';
import type { Kernels } from './kernels.ts';
import type { Limits } from './limits.ts';
import type { NonFinite, TensorSpan } from './non-finite.ts';
import type { Reader } from './reader.ts';

export interface PluginContext<Options extends object = JsonObject> {
  /** Aborted when the answer is no longer wanted; a plugin passes it to every read. */
  readonly signal: AbortSignal;
  /** Checked against the plugin's schema, defaults filled in. */
  readonly options: Options;
  readonly limits: Limits;
  /** Of the match rule that holds for this asset. */
  readonly kind: string;
  /** `category/class` that the asset is kept under: `configs/deployment`; undefined where nobody has said. */
  readonly collection: string | undefined;
  readonly kernels: Kernels;
}

export interface ReaderContext<Options extends object = JsonObject> extends PluginContext<Options> {
  /**
   * NaNs and infinities of each span of the file, in the order of the spans; `first` counts from the start of the span.
   * A host that had the bytes in its hands before answers without reading them again.
   */
  nonFinite(reader: Reader, spans: readonly TensorSpan[]): Promise<readonly NonFinite[]>;
}

export interface DiffContext<Options extends object = JsonObject> extends PluginContext<Options> {
  /**
   * Whether both spans, of equal length, hold the same bytes; a span is `[offset, length]`. A host answers from the
   * hashes of what it stored where it can, else it reads both.
   */
  isSame(before: Reader, beforeSpan: Span, after: Reader, afterSpan: Span): Promise<boolean>;
}

/** Offset and length in bytes. */
export type Span = readonly [offset: number, length: number];
