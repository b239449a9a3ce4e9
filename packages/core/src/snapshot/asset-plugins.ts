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
  matchingRule,
  type CheckedLayout,
  type LayoutLimits,
  type Match,
  type MatchTarget,
  type Plugin,
} from '@mbk/plugin-sdk';
import { limits } from '../format/limits.ts';
import type { Examiner } from '../plugins/examiner.ts';
import type { SourceReader } from './source-reader.ts';

export interface RecognisedAsset extends KnownAsset {
  readonly plugin: string;
  readonly layout: CheckedLayout | undefined;
  /** Why there is no layout though the plugin can make one; undefined if nothing is wrong. */
  readonly problem: string | undefined;
}

/** What is known of a file by its name and first bytes. */
export interface KnownAsset {
  /** What the file is, `class/format`: `model/gguf`. */
  readonly kind: string;
  /** Place of the plugin among all. */
  readonly number: number;
  /** Whether the plugin wants to read the file before it is cut. */
  readonly looksInside: boolean;
  /** How the plugin examines it; undefined if it does not. */
  readonly examines: 'random' | 'stream' | undefined;
}

/** Which files a plugin knows, as data: for threads that have no plugins. */
export interface AssetRule {
  readonly match: readonly Match[];
  readonly looksInside: boolean;
  /** Of those that read where they want, and of those that see a stream: whether they examine at all. */
  readonly examines: { readonly random: boolean; readonly stream: boolean };
}

export interface AssetPlugins {
  /** In the order in which plugins are asked. */
  readonly rules: readonly AssetRule[];
  /** How many leading bytes of a file `kindOf` wants to see. */
  readonly headBytes: number;
  /** The kind of a file by its path (display text) and first bytes, or undefined if no plugin knows it. */
  kindOf(path: string, head: Uint8Array): string | undefined;
  /** The asset with its layout, or undefined if no plugin knows it. */
  recognise(reader: SourceReader, head: Uint8Array, signal?: AbortSignal): Promise<RecognisedAsset | undefined>;
  /** Examines what is recognised; without one nothing is. */
  readonly examiner?: Examiner;
}

/** Longest that a plugin may take for one layout. */
const layoutTimeoutMs = 60_000;

/** What fits a blob of 16 MiB, at about 130 bytes a tensor. */
export const layoutBounds: LayoutLimits = { ...layoutLimits, tensors: limits.layoutTensors };

/** Asks `plugins` in their order; the first that knows a file decides. */
export function assetPlugins(plugins: readonly Plugin[]): AssetPlugins {
  const rules = plugins.map(({ match, layout }): AssetRule => ({
    match,
    looksInside: layout !== undefined,
    examines: { random: false, stream: false },
  }));
  return {
    rules,
    headBytes: Math.max(0, ...plugins.map(({ match }) => magicSpan(match))),
    kindOf: (path, head) => knownAsset(rules, { path, head })?.kind,
    async recognise(reader, head, signal) {
      const known = knownAsset(rules, { path: reader.path, head });
      const plugin = known && plugins[known.number];
      if (known === undefined || plugin === undefined) return undefined;
      const { layout, problem } = await layoutOf(plugin, reader, signal);
      return { ...known, plugin: plugin.name, layout, problem };
    },
  };
}

/** What the first rule that holds says of a file. */
export function knownAsset(rules: readonly AssetRule[], target: MatchTarget): KnownAsset | undefined {
  for (const [number, { match, looksInside, examines }] of rules.entries()) {
    const rule = matchingRule(match, target);
    if (rule === undefined) continue;
    const { kind, reads = 'random' } = rule;
    return { kind, number, looksInside, examines: examines[reads] ? reads : undefined };
  }
  return undefined;
}

async function layoutOf(
  plugin: Plugin,
  reader: SourceReader,
  signal: AbortSignal | undefined,
): Promise<{ layout: CheckedLayout | undefined; problem: string | undefined }> {
  if (plugin.layout === undefined) return { layout: undefined, problem: undefined };
  const limit = AbortSignal.timeout(layoutTimeoutMs);
  const both = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  let answer: unknown;
  try {
    answer = await Promise.race([plugin.layout(reader, { signal: both, limits: layoutBounds }), rejectionOf(both)]);
  } catch (error) {
    signal?.throwIfAborted();
    return { layout: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
  if (answer === undefined) return { layout: undefined, problem: undefined };
  const checked = checkLayout(answer, reader.size, layoutBounds);
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
