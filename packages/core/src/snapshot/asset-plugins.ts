/**
 * Which plugin knows a file, and where its tensors lie.
 *
 * A plugin cannot harm a snapshot: whatever it throws or answers, at worst the file has no layout. A wrong layout costs
 * compression, never bytes (docs/plugins.md).
 */
import {
  checkLayout,
  layoutLimits,
  magicSpan,
  matchingKind,
  type CheckedLayout,
  type Match,
  type MatchTarget,
  type Plugin,
  type Reader,
} from '@mbk/plugin-sdk';
import { limits } from '../format/limits.ts';

export interface RecognisedAsset {
  /** What the file is, `class/format`: `model/gguf`. */
  readonly kind: string;
  readonly plugin: string;
  readonly layout: CheckedLayout | undefined;
  /** Why there is no layout though the plugin can make one; undefined if nothing is wrong. */
  readonly problem: string | undefined;
}

/** Which files a plugin knows, as data: for threads that have no plugins. */
export interface AssetRule {
  readonly match: readonly Match[];
  /** Whether the plugin wants to read the file. */
  readonly looksInside: boolean;
}

export interface AssetPlugins {
  /** In the order in which plugins are asked. */
  readonly rules: readonly AssetRule[];
  /** How many leading bytes of a file `kindOf` wants to see. */
  readonly headBytes: number;
  /** The kind of a file by its path (display text) and first bytes, or undefined if no plugin knows it. */
  kindOf(path: string, head: Uint8Array): string | undefined;
  /** The asset with its layout, or undefined if no plugin knows it. */
  recognise(reader: Reader, head: Uint8Array, signal?: AbortSignal): Promise<RecognisedAsset | undefined>;
}

/** Longest that a plugin may take for one layout. */
const layoutTimeoutMs = 60_000;

/** What fits a blob of 16 MiB, at about 130 bytes a tensor. */
const bounds = { ...layoutLimits, tensors: limits.layoutTensors };

/** Asks `plugins` in their order; the first that knows a file decides. */
export function assetPlugins(plugins: readonly Plugin[]): AssetPlugins {
  const find = (path: string, head: Uint8Array): { plugin: Plugin; kind: string } | undefined => {
    for (const plugin of plugins) {
      const kind = matchingKind(plugin.match, { path, head });
      if (kind !== undefined) return { plugin, kind };
    }
    return undefined;
  };
  return {
    rules: plugins.map(({ match, layout }) => ({ match, looksInside: layout !== undefined })),
    headBytes: Math.max(0, ...plugins.map(({ match }) => magicSpan(match))),
    kindOf: (path, head) => find(path, head)?.kind,
    async recognise(reader, head, signal) {
      const found = find(reader.path, head);
      if (found === undefined) return undefined;
      const { layout, problem } = await layoutOf(found.plugin, reader, signal);
      return { kind: found.kind, plugin: found.plugin.name, layout, problem };
    },
  };
}

/** What the first rule that holds says of a file. */
export function knownAsset(
  rules: readonly AssetRule[],
  target: MatchTarget,
): { readonly kind: string; readonly looksInside: boolean } | undefined {
  for (const { match, looksInside } of rules) {
    const kind = matchingKind(match, target);
    if (kind !== undefined) return { kind, looksInside };
  }
  return undefined;
}

async function layoutOf(
  plugin: Plugin,
  reader: Reader,
  signal: AbortSignal | undefined,
): Promise<{ layout: CheckedLayout | undefined; problem: string | undefined }> {
  if (plugin.layout === undefined) return { layout: undefined, problem: undefined };
  const limit = AbortSignal.timeout(layoutTimeoutMs);
  const both = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  let answer: unknown;
  try {
    answer = await Promise.race([plugin.layout(reader, { signal: both, limits: bounds }), rejectionOf(both)]);
  } catch (error) {
    signal?.throwIfAborted();
    return { layout: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
  if (answer === undefined) return { layout: undefined, problem: undefined };
  const checked = checkLayout(answer, reader.size, bounds);
  // A model without tensors (a vocabulary) is an ordinary file.
  if (checked.ok)
    return { layout: checked.layout.tensors.length === 0 ? undefined : checked.layout, problem: undefined };
  return { layout: undefined, problem: checked.reason };
}

/** Rejects when `signal` aborts, so that a plugin that does not heed it is left behind. */
function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
